// Reads runs, computes their test features, and draws these with the prototypes.
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/run/augmentation.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/prototypes/prototype_pages.h"
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/statistics.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/data/image_set.h"

#include <fmt/core.h>

namespace radial::train {
namespace {

namespace fs = std::filesystem;

/// The points and prototypes in the chart of a run.
struct Plane {
    std::vector<float> points;      ///< [N, 2]
    std::vector<float> prototypes;  ///< [classes * K, 2]
    std::string note;               ///< how they were projected; empty: not at all
};

Plane plane_of(const TrainedRun& run, const Evaluation& evaluation) {
    Plane plane{.points = evaluation.features, .prototypes = {}, .note = ""};
    if (const Tensor rows = run.classifier.loss->prototypes(); rows.defined())
        plane.prototypes = rows.to_vector<float>();
    const auto dim = static_cast<std::size_t>(run.classifier.spec.dim);
    if (dim == 2) return plane;
    const PrincipalComponents axes = principal_components(plane.points, dim, 2);
    plane.points = axes.project(plane.points);
    plane.prototypes = axes.project(plane.prototypes);
    plane.note = fmt::format(
        "Projected from {} dimensions onto the first two principal components of the features, which explain {:.1f}% "
        "and {:.1f}% of their variance.",
        dim, 100 * axes.explained[0], 100 * axes.explained[1]);
    return plane;
}

/// The HTML card of one run.
std::string card(const TrainedRun& run, const Evaluation& evaluation, const std::vector<std::string>& class_names) {
    const Plane plane = plane_of(run, evaluation);
    const Scatter shown{.points = plane.points,
                        .labels = evaluation.labels,
                        .prototypes = plane.prototypes,
                        .class_names = class_names,
                        .keep_places = !plane.note.empty()};
    const ClassifierSpec& spec = run.classifier.spec;
    const std::string settings = describe_settings(spec.loss_settings);
    const std::string fact = fmt::format("<p class=\"fact\"><b>{:.2f}%</b> of {} test images right</p>\n",
                                         100 * evaluation.accuracy(), evaluation.total);
    const std::string note = fmt::format("<p class=\"note\">{}<br>{}<br>{}{}</p>\n", escape_html(run.name),
                                         escape_html(settings.empty() ? "no options" : settings),
                                         plane.note.empty() ? "" : escape_html(plane.note) + "<br>",
                                         escape_html(describe(view_of(shown), shown)));
    return html_section(spec.loss, "", fact + scatter_chart(shown) + note,
                        plane.prototypes.size() > std::size_t{2} * 20 ? "scatter many" : "scatter");
}

}  // namespace

std::vector<TrainedRun> load_runs(const std::vector<std::string>& runs) {
    std::vector<TrainedRun> loaded;
    for (const std::string& run : runs) {
        const fs::path path = fs::is_directory(run) ? fs::path(run) / "checkpoint.safetensors" : fs::path(run);
        const TensorFile file = read_safetensors(path);
        loaded.push_back({run, path, load_classifier(file, path), input_notes(file.metadata)});
    }
    return loaded;
}

void check_test_set(const TrainedRun& run, const data::Dataset& test, const fs::path& data) {
    const std::int64_t classes = outputs_of(test);
    RADIAL_CHECK(run.classifier.spec.classes == classes, "{}: a classifier of {} classes, {} has {}", run.name,
                 run.classifier.spec.classes, data.string(), classes);
    const std::string warning = check_class_names(run.checkpoint, run.notes, test, data);
    if (!warning.empty()) fmt::print("warning: {}\n", warning);
}

Evaluation evaluate_features(TrainedRun& run, const ImageTask& task, const std::shared_ptr<data::Dataset>& test,
                             const FeatureOptions& options, Device device) {
    run.classifier.to(device);
    const PictureOptions pictures;
    if (auto* const images = dynamic_cast<data::ImageSet*>(test.get()))
        images->view = view_of(pictures, model_named(run.classifier.spec.model), run.notes);
    data::LoaderOptions loader_options{.batch_size = options.batch, .mean = task.mean, .std = task.std};
    set_pictures(pictures, false, loader_options);
    data::Loader loader(test, loader_options);
    return evaluate(*run.classifier.model, *run.classifier.loss, loader, device, {.keep_features = true});
}

void write_scatter_page(const ImageTask& task, const ScatterPageOptions& options) {
    // Load all runs first, to find one that cannot be drawn before minutes are spent on the others.
    std::vector<TrainedRun> runs = load_runs(options.runs);
    for (const TrainedRun& run : runs) {
        RADIAL_CHECK(run.classifier.spec.dim >= 2, "{}: its feature has one dimension, a scatter needs 2 or more",
                     run.name);
    }
    const FeatureOptions& features = options.features;
    const Device device = start_device(features.device, features.threads, Precision::float32);
    const std::shared_ptr<data::Dataset> test = read_set(task, features.data, false);
    for (const TrainedRun& run : runs) check_test_set(run, *test, features.data);
    std::string cards;
    for (TrainedRun& run : runs) {
        const Evaluation evaluation = evaluate_features(run, task, test, features, device);
        fmt::print("{}: {}, test accuracy {:.2f}%\n", shown(run.name), run.classifier.spec.loss,
                   100 * evaluation.accuracy());
        cards += card(run, evaluation, test->class_names);
    }
    write_file(options.out,
               html_page("Test features and prototypes",
                         fmt::format("One dot a test image, {} of them a chart. Each chart has axes of "
                                     "its own.",
                                     test->size()),
                         scatter_legend(test->class_names) + "<div class=\"runs\">\n" + cards + "</div>\n"));
    fmt::print("page: {}\n", shown(options.out.string()));
}

}  // namespace radial::train
