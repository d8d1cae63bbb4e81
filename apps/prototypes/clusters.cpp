// Measures how well prototypes and features are separated by class and by superclass.
#include "radial/apps/prototypes/class_meanings.h"
#include "radial/apps/prototypes/prototype_pages.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/statistics.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace radial::train {
namespace {

/// A number for each class, equal for the classes of a superclass; empty if there are no superclasses.
std::vector<std::int64_t> groups_of(const std::vector<std::string>& superclasses) {
    std::vector<std::string> names = superclasses;
    std::ranges::sort(names);
    std::vector<std::int64_t> groups;
    for (const std::string& name : superclasses)
        groups.push_back(std::ranges::lower_bound(names, name) - names.begin());
    return groups;
}

/// The group of each of `labels`.
std::vector<std::int64_t> grouped(std::vector<std::int64_t> labels, const std::vector<std::int64_t>& groups) {
    for (std::int64_t& label : labels) label = groups[static_cast<std::size_t>(label)];
    return labels;
}

/// The Calinski-Harabasz index of the prototypes; NaN for a loss without prototypes.
double of_prototypes(const Classifier& classifier, const std::vector<std::int64_t>& groups) {
    const Tensor rows = classifier.loss->prototypes();
    if (!rows.defined()) return std::numeric_limits<double>::quiet_NaN();
    std::vector<std::int64_t> labels(static_cast<std::size_t>(rows.size(0)));
    std::iota(labels.begin(), labels.end(), std::int64_t{0});
    for (std::int64_t& label : labels) label /= rows.size(0) / classifier.spec.classes;
    return calinski_harabasz(rows.to_vector<float>(), grouped(labels, groups), static_cast<std::size_t>(rows.size(1)));
}

std::string number(double value) { return std::isnan(value) ? "–" : fmt::format("{:.4f}", value); }

void report(const std::vector<TrainedRun>& runs, const std::vector<ClusterIndices>& found,
            const std::filesystem::path& file) {
    TextTable table{
        .headers = {"run", "loss", "prototypes by superclass", "features by class", "features by superclass"},
        .rows = {},
        .numbers_from = 2};
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::string& loss = runs[i].classifier.spec.loss;
        table.rows.push_back({shown(runs[i].name), loss, number(found[i].prototypes), number(found[i].features),
                              number(found[i].features_by_superclass)});
        // JSON has no NaN: it becomes null.
        json.push_back({{"run", text_to_json(runs[i].name)},
                        {"loss", loss},
                        {"prototypes_by_superclass", found[i].prototypes},
                        {"features_by_class", found[i].features},
                        {"features_by_superclass", found[i].features_by_superclass}});
    }
    fmt::print("Calinski-Harabasz index\n\n{}", to_markdown(table));
    if (file.empty()) return;
    write_file(file, json.dump(2) + "\n");
    fmt::print("\nfigures: {}\n", shown(file.string()));
}

}  // namespace

std::vector<ClusterIndices> measure_clusters(const ImageTask& task, const ClusterOptions& options) {
    std::vector<TrainedRun> runs = load_runs(options.runs);
    const FeatureOptions& features = options.features;
    const std::map<std::string, std::string> given =
        options.superclasses.empty() ? std::map<std::string, std::string>() : read_class_words(options.superclasses);
    std::shared_ptr<data::Dataset> test;
    Device device;
    if (!features.data.empty()) {
        device = start_device(features.device, features.threads, Precision::float32);
        test = read_set(task, features.data, false);
        for (const TrainedRun& run : runs) check_test_set(run, *test, features.data);
    }
    std::vector<ClusterIndices> found;
    for (TrainedRun& run : runs) {
        const std::vector<std::string>& names = test != nullptr ? test->class_names : run.notes.class_names;
        const std::vector<std::int64_t> groups = groups_of(superclasses_of(names, given));
        RADIAL_CHECK(test != nullptr || !groups.empty(),
                     "{}: its classes have no superclasses: name them with --superclasses FILE, or measure features "
                     "with --data DIR",
                     run.name);
        ClusterIndices indices;
        if (!groups.empty()) indices.prototypes = of_prototypes(run.classifier, groups);
        if (test != nullptr) {
            const Evaluation evaluation = evaluate_features(run, task, test, features, device);
            const auto dim = static_cast<std::size_t>(run.classifier.spec.dim);
            indices.features = calinski_harabasz(evaluation.features, evaluation.labels, dim);
            if (!groups.empty()) {
                indices.features_by_superclass =
                    calinski_harabasz(evaluation.features, grouped(evaluation.labels, groups), dim);
            }
        }
        found.push_back(indices);
    }
    report(runs, found, options.json);
    return found;
}

}  // namespace radial::train
