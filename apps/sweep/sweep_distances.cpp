// Distances to the own prototype, from a run's snapshots.
#include "radial/apps/sweep/sweep_distances.h"

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/core/util/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

namespace radial::train {
namespace {

namespace fs = std::filesystem;

const std::vector<std::int64_t> steps_shown = {20, 40, 60, 100, 200};

/// The classifier of `run` as it was when `snapshot` was saved.
Classifier classifier_of(const fs::path& run, const fs::path& snapshot) {
    TensorFile file = read_safetensors(snapshot);
    std::erase_if(file.tensors, [](const NamedTensor& each) {
        return !each.name.starts_with("model.") && !each.name.starts_with("loss.");
    });
    file.metadata = read_safetensors(run / "checkpoint.safetensors").metadata;
    return load_classifier(file, snapshot);
}

std::string number(double value) { return fmt::format("{:.{}f}", value, value < 0.01 ? 4 : 2); }

std::vector<std::string> row_of(const std::string& dim, std::int64_t step, const OwnDistances& found, double accuracy) {
    return {dim,
            fmt::format("ours, step {}", step),
            number(found.min),
            number(found.max),
            number(found.mean),
            number(found.variance),
            fmt::format("{:.2f}%", 100 * accuracy)};
}

}  // namespace

OwnDistances own_distances(std::span<const float> features, std::span<const std::int64_t> labels,
                           std::span<const float> prototypes, std::size_t dim) {
    OwnDistances found{.min = std::numeric_limits<double>::infinity()};
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        double distance = 0;
        for (std::size_t d = 0; d < dim; ++d) {
            const double difference = static_cast<double>(features[i * dim + d]) -
                                      static_cast<double>(prototypes[static_cast<std::size_t>(labels[i]) * dim + d]);
            distance += difference * difference;
        }
        found.min = std::min(found.min, distance);
        found.max = std::max(found.max, distance);
        sum += distance;
        squares += distance * distance;
    }
    const auto count = static_cast<double>(labels.size());
    found.mean = sum / count;
    found.variance = std::max(0.0, squares / count - found.mean * found.mean);
    return found;
}

SweepSection distance_section(const ImageTask& task, const SweepOptions& options, const std::vector<SweptRun>& runs) {
    SweepSection section{
        .title = "Squared distance to the own prototype",
        .note =
            "‖x − W_y‖² over the test images, W the weights of the softmax, after so many steps. The paper does not "
            "say at which step, on which images or at what rate it measured.",
        .table = {.headers = {"features", "measured", "min", "max", "mean", "variance", "accuracy"},
                  .rows = {},
                  .numbers_from = 2},
        .html = ""};
    const Device device = start_device(options.device, options.threads, options.precision);
    const std::shared_ptr<data::Dataset> test = read_set(task, options.data, false);
    for (const PaperDistances& paper : paper_table_1()) {
        section.table.rows.push_back(
            {paper.dim + "-D", "paper", paper.min, paper.max, paper.mean, paper.variance, "–"});
        for (const auto& [run, state] : runs) {
            if (run.cell.name != paper.dim + "d" || !state.done()) continue;
            const std::string dim =
                run.seed == 1 ? paper.dim + "-D" : fmt::format("{}-D, seed {}", paper.dim, run.seed);
            for (const std::int64_t step : steps_shown) {
                const fs::path snapshot = run.folder / "snapshots" / fmt::format("step-{:09}.safetensors", step);
                if (!fs::exists(snapshot)) continue;
                const Classifier classifier = classifier_of(run.folder, snapshot);
                classifier.model->to(device);
                classifier.loss->to(device);
                data::Loader loader(test, {.batch_size = 128, .mean = task.mean, .deviation = task.deviation});
                const Evaluation found = evaluate(*classifier.model, *classifier.loss, loader, device, true);
                const Tensor prototypes = classifier.loss->prototypes();
                section.table.rows.push_back(
                    row_of(dim, step,
                           own_distances(found.features, found.labels, prototypes.to_vector<float>(),
                                         static_cast<std::size_t>(classifier.spec.dim)),
                           found.accuracy()));
            }
        }
    }
    return section;
}

}  // namespace radial::train
