// Loads the runs, computes their test features, and writes the page.
#include "radial/apps/sweep/scatter_page.h"

#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/evaluate.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

namespace radial::train {
namespace {

namespace fs = std::filesystem;

/// A run that is drawn.
struct DrawnRun {
    fs::path checkpoint;
    Classifier classifier;
    InputNotes notes;
};

/// From a run's folder or the checkpoint itself. Throws Error unless it fits `task` and is flat.
DrawnRun load_run(const fs::path& run, const ImageTask& task) {
    const fs::path path = fs::is_directory(run) ? run / "checkpoint.safetensors" : run;
    const TensorFile file = read_safetensors(path);
    DrawnRun drawn{path, load_classifier(file, path), input_notes(file.metadata)};
    const ClassifierSpec& spec = drawn.classifier.spec;
    RADIAL_CHECK(spec.model == task.model && spec.classes == task.classes,
                 "{}: a {} of {} classes, only runs of {} ({}, {} classes) can be drawn", run.string(), spec.model,
                 spec.classes, task.program, task.model, task.classes);
    RADIAL_CHECK(spec.dim == 2, "{}: its feature has {} dimensions, a scatter needs 2: train with --dim 2",
                 run.string(), spec.dim);
    return drawn;
}

/// The card of one run.
std::string card(const std::string& run, const Classifier& classifier, const Evaluation& evaluation,
                 const std::vector<std::string>& class_names) {
    std::vector<float> prototypes;
    if (const Tensor rows = classifier.loss->prototypes(); rows.defined()) prototypes = rows.to_vector<float>();
    const Scatter shown{.points = evaluation.features,
                        .labels = evaluation.labels,
                        .prototypes = prototypes,
                        .class_names = class_names};
    const std::string settings = describe_settings(classifier.spec.loss_settings);
    const std::string fact = fmt::format("<p class=\"fact\"><b>{:.2f}%</b> of {} test images right</p>\n",
                                         100 * evaluation.accuracy(), evaluation.total);
    const std::string note = fmt::format("<p class=\"note\">{}<br>{}<br>{}</p>\n", escape_html(run),
                                         escape_html(settings.empty() ? "no options" : settings),
                                         escape_html(describe(view_of(shown), shown)));
    return html_section(classifier.spec.loss, "", fact + scatter_chart(shown) + note, "scatter");
}

}  // namespace

void write_scatter_page(const ImageTask& task, const ScatterPageOptions& options) {
    // A run that cannot be drawn is to be found before minutes are spent on the others.
    std::vector<DrawnRun> runs;
    for (const std::string& run : options.runs) runs.push_back(load_run(run, task));
    const Device device = start_device(options.device, options.threads, Precision::float32);
    const std::shared_ptr<data::Dataset> test = read_set(task, options.data, false);
    for (const DrawnRun& run : runs) {
        const std::string warning = check_class_names(run.checkpoint, run.notes, *test, options.data);
        if (!warning.empty()) fmt::print("warning: {}\n", warning);
    }
    std::string cards;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const Classifier& classifier = runs[i].classifier;
        classifier.model->to(device);
        classifier.loss->to(device);
        data::Loader loader(test, {.batch_size = options.batch, .mean = task.mean, .deviation = task.deviation});
        const Evaluation evaluation = evaluate(*classifier.model, *classifier.loss, loader, device, true);
        fmt::print("{}: {}, test accuracy {:.2f}%\n", shown(options.runs[i]), classifier.spec.loss,
                   100 * evaluation.accuracy());
        cards += card(options.runs[i], classifier, evaluation, test->class_names);
    }
    write_file(options.out,
               html_page("Test features and prototypes",
                         fmt::format("{} with a two-dimensional feature: one dot a test image, {} of them "
                                     "a chart. Each chart has axes of its own.",
                                     task.model_title, test->size()),
                         scatter_legend(test->class_names) + "<div class=\"runs\">\n" + cards + "</div>\n"));
    fmt::print("page: {}\n", shown(options.out.string()));
}

}  // namespace radial::train
