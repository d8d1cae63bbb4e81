// `eval`: the accuracy of a checkpoint.
#include "radial/apps/common/evaluate.h"
#include "radial/apps/common/image_task.h"
#include "radial/apps/common/saved_classifier.h"
#include "radial/core/error.h"

namespace radial::apps {
namespace {

struct EvalOptions {
    std::filesystem::path checkpoint, data;
    std::int64_t batch = 128;
    int threads = 0, workers = 1;
    std::string device = "cpu", precision = "float32";
};

void run_eval(const ImageTask& task, const EvalOptions& options) {
    const Precision precision = parse_precision(options.precision);
    const Device device = start_device(options.device, options.threads, precision);
    if (options.checkpoint.empty()) throw FileError("no checkpoint: give --checkpoint FILE");
    const Classifier classifier = load_classifier(options.checkpoint);
    RADIAL_CHECK(classifier.spec.classes == task.classes, "{}: a classifier of {} classes, {} has {}",
                 options.checkpoint.string(), classifier.spec.classes, task.program, task.classes);
    classifier.model->to(device);
    classifier.loss->to(device);
    data::Loader loader(
        read_set(task, options.data, false),
        {.batch_size = options.batch, .workers = options.workers, .mean = task.mean, .deviation = task.deviation});
    const Evaluation result = evaluate(*classifier.model, *classifier.loss, loader, device, false, precision);
    fmt::print("model: {}, {}-D feature; loss: {}\n", classifier.spec.model, classifier.spec.dim, classifier.spec.loss);
    fmt::print("test loss: {:.4f}\ntest accuracy: {:.2f}% ({} of {})\n", result.loss, 100 * result.accuracy(),
               result.correct, result.total);
}

}  // namespace

Command eval_command(const ImageTask& task) {
    return {"eval", "Measure a checkpoint on the test set", [task](CLI::App& app) {
                auto options = std::make_shared<EvalOptions>();
                app.add_option("--checkpoint", options->checkpoint, "File that train wrote")->type_name("FILE");
                add_data_option(app, options->data, task.set);
                app.add_option("--batch", options->batch, "Images at a time")
                    ->capture_default_str()
                    ->check(CLI::Range(1, 1000000));
                app.add_option("--threads", options->threads, "Threads that compute; 0 takes every core")
                    ->capture_default_str()
                    ->check(CLI::Range(0, 4096));
                app.add_option("--workers", options->workers, "Threads that prepare batches")
                    ->capture_default_str()
                    ->check(CLI::Range(0, 256));
                add_device_option(app, options->device);
                add_precision_option(app, options->precision);
                return [task, options] { with_memory_advice(options->batch, [&] { run_eval(task, *options); }); };
            }};
}

}  // namespace radial::apps
