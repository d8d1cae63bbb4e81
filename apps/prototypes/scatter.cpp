// Loads the runs, computes their test features, and writes the page.
#include "radial/apps/prototypes/scatter.h"

#include "radial/apps/common/evaluate.h"
#include "radial/apps/common/html_page.h"
#include "radial/apps/common/loss_options.h"
#include "radial/apps/common/mnist_task.h"
#include "radial/apps/common/saved_classifier.h"
#include "radial/apps/common/scatter_view.h"
#include "radial/core/atomic_file.h"
#include "radial/core/error.h"

namespace radial::prototypes {
namespace {

namespace fs = std::filesystem;

struct ScatterOptions {
    std::vector<std::string> runs;
    fs::path data, out = "scatter.html";
    std::int64_t batch = 128;
    int threads = 0;
    std::string device = "cpu";
};

/// A run's classifier, from its folder or the checkpoint itself. Throws Error unless it fits `task` and is flat.
apps::Classifier load_run(const fs::path& run, const apps::ImageTask& task) {
    const fs::path file = fs::is_directory(run) ? run / "checkpoint.safetensors" : run;
    apps::Classifier classifier = apps::load_classifier(file);
    const apps::ClassifierSpec& spec = classifier.spec;
    RADIAL_CHECK(spec.model == task.model && spec.classes == task.classes,
                 "{}: a {} of {} classes, only runs of {} ({}, {} classes) can be drawn", run.string(), spec.model,
                 spec.classes, task.program, task.model, task.classes);
    RADIAL_CHECK(spec.dim == 2, "{}: its feature has {} dimensions, a scatter needs 2: train with --dim 2",
                 run.string(), spec.dim);
    return classifier;
}

/// The card of one run.
std::string card(const std::string& run, const apps::Classifier& classifier, const apps::Evaluation& evaluation,
                 const std::vector<std::string>& class_names) {
    std::vector<float> prototypes;
    if (const Tensor rows = classifier.loss->prototypes(); rows.defined()) prototypes = rows.to_vector<float>();
    const apps::Scatter shown{.points = evaluation.features,
                              .labels = evaluation.labels,
                              .prototypes = prototypes,
                              .class_names = class_names};
    const std::string settings = apps::describe_settings(classifier.spec.loss_settings);
    const std::string fact = fmt::format("<p class=\"fact\"><b>{:.2f}%</b> of {} test images right</p>\n",
                                         100 * evaluation.accuracy(), evaluation.total);
    const std::string note = fmt::format("<p class=\"note\">{}<br>{}<br>{}</p>\n", apps::escape_html(run),
                                         apps::escape_html(settings.empty() ? "no options" : settings),
                                         apps::escape_html(describe(view_of(shown), shown)));
    return apps::html_section(classifier.spec.loss, "", fact + scatter_chart(shown) + note, "scatter");
}

void run_scatter(const ScatterOptions& options) {
    const apps::ImageTask task = apps::mnist_task();
    // A run that cannot be drawn is to be found before minutes are spent on the others.
    std::vector<apps::Classifier> classifiers;
    for (const std::string& run : options.runs) classifiers.push_back(load_run(run, task));
    const Device device = apps::start_device(options.device, options.threads, apps::Precision::float32);
    const data::Dataset test = apps::read_set(task, options.data, false);
    std::string cards;
    for (std::size_t i = 0; i < classifiers.size(); ++i) {
        const apps::Classifier& classifier = classifiers[i];
        classifier.model->to(device);
        classifier.loss->to(device);
        data::Loader loader(test, {.batch_size = options.batch, .mean = task.mean, .deviation = task.deviation});
        const apps::Evaluation evaluation = apps::evaluate(*classifier.model, *classifier.loss, loader, device, true);
        fmt::print("{}: {}, test accuracy {:.2f}%\n", options.runs[i], classifier.spec.loss,
                   100 * evaluation.accuracy());
        cards += card(options.runs[i], classifier, evaluation, test.class_names);
    }
    write_file(options.out,
               apps::html_page("Test features and prototypes",
                               fmt::format("{} with a two-dimensional feature: one dot a test image, {} of them "
                                           "a chart. Each chart has axes of its own.",
                                           task.model_title, test.size()),
                               apps::scatter_legend(test.class_names) + "<div class=\"runs\">\n" + cards + "</div>\n"));
    fmt::print("page: {}\n", options.out.string());
}

}  // namespace

apps::Command scatter_command() {
    return {"scatter", "Draw the test features of two-dimensional runs side by side", [](CLI::App& app) {
                auto options = std::make_shared<ScatterOptions>();
                app.add_option("RUN", options->runs, "Folders that radial-mnist train --dim 2 wrote, or checkpoints")
                    ->required();
                app.add_option("--out", options->out, "The page to write")->capture_default_str()->type_name("FILE");
                apps::add_data_option(app, options->data, apps::mnist_task().set);
                app.add_option("--batch", options->batch, "Images at a time")
                    ->capture_default_str()
                    ->check(CLI::Range(1, 1000000));
                app.add_option("--threads", options->threads, "Threads that compute; 0 takes every core")
                    ->capture_default_str()
                    ->check(CLI::Range(0, 4096));
                apps::add_device_option(app, options->device);
                return [options] { apps::with_memory_advice(options->batch, [&] { run_scatter(*options); }); };
            }};
}

}  // namespace radial::prototypes
