// The command `eval`: evaluates a checkpoint on the test set.
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/run/input_notes.h"
#include "radial/core/util/error.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

struct EvalOptions {
    std::filesystem::path checkpoint, data;
    std::int64_t batch = 128;
    int threads = 0, workers = 1;
    std::string device = "cpu";
    Precision precision = Precision::float32;
    PictureOptions pictures;
};

/// Throws Error unless the classifier has as many classes as `what`, which has `classes`.
void check_classes(const std::filesystem::path& checkpoint, const Classifier& classifier, const std::string& what,
                   std::int64_t classes) {
    RADIAL_CHECK(classifier.spec.classes == classes, "{}: a classifier of {} classes, {} has {}", checkpoint.string(),
                 classifier.spec.classes, what, classes);
}

/// Throws NumericError when the scores of some images are NaN or infinite, so that no class is predicted.
void check_scores(const Evaluation& result, const std::filesystem::path& checkpoint) {
    const auto broken = std::count_if(result.confidences.begin(), result.confidences.end(),
                                      [](float confidence) { return std::isnan(confidence); });
    if (broken > 0)
        throw NumericError(fmt::format("{}: {} of {} images get scores that are NaN or infinite", checkpoint.string(),
                                       broken, result.total));
}

void run_eval(const ImageTask& task, const EvalOptions& options) {
    const Device device = start_device(options.device, options.threads, options.precision);
    if (options.checkpoint.empty()) throw FileError("no checkpoint: give --checkpoint FILE");
    const TensorFile file = read_safetensors(options.checkpoint);
    Classifier classifier = load_classifier(file, options.checkpoint);
    if (task.classes > 0) check_classes(options.checkpoint, classifier, task.program, task.classes);
    classifier.to(device);
    const std::shared_ptr<data::Dataset> set = read_set(task, options.data, false);
    if (task.classes == 0)
        check_classes(options.checkpoint, classifier, options.data.empty() ? "the data set" : options.data.string(),
                      outputs_of(*set));
    const InputNotes notes = input_notes(file.metadata);
    const std::string warning = check_class_names(options.checkpoint, notes, *set, options.data);
    if (!warning.empty()) fmt::print("warning: {}\n", warning);
    if (auto* const images = dynamic_cast<data::ImageSet*>(set.get()))
        images->view = view_of(options.pictures, model_named(classifier.spec.model), notes);
    data::LoaderOptions loader_options{
        .batch_size = options.batch, .workers = options.workers, .mean = task.mean, .std = task.std};
    set_pictures(options.pictures, false, loader_options);
    data::Loader loader(set, loader_options);
    const Evaluation result = evaluate(*classifier.model, *classifier.loss, loader, device, false, options.precision);
    check_scores(result, options.checkpoint);
    fmt::print("model: {}, {}-D feature; loss: {}\n", classifier.spec.model, classifier.spec.dim, classifier.spec.loss);
    fmt::print("test loss: {:.4f}\n", result.loss);
    if (!std::isnan(result.accuracy()))
        fmt::print("test accuracy: {:.2f}% ({} of {})\n", 100 * result.accuracy(), result.correct, result.total);
    for (const std::string& note : set->notes) fmt::print("note: {}\n", shown_lines(note));
    for (const std::string& line : problem_lines(loader)) fmt::print("{}\n", shown_lines(line));
}

}  // namespace

Command eval_command(const ImageTask& task) {
    return {"eval", "Evaluate a checkpoint on the test set", [task](CLI::App& app) {
                auto options = std::make_shared<EvalOptions>();
                app.add_option("--checkpoint", options->checkpoint, "Checkpoint written by train")->type_name("FILE");
                add_data_option(app, options->data, task.set);
                app.add_option("--batch", options->batch, "Images per batch")
                    ->capture_default_str()
                    ->check(within(1, 1000000));
                app.add_option("--threads", options->threads, "Compute threads; 0 uses every core")
                    ->capture_default_str()
                    ->check(within(0, 4096));
                app.add_option("--workers", options->workers, "Threads that prepare batches")
                    ->capture_default_str()
                    ->check(within(0, 256));
                add_device_option(app, options->device);
                add_precision_option(app, options->precision);
                if (task.picture_files) add_picture_options(app, options->pictures, false);
                return [task, options] { with_memory_advice(options->batch, [&] { run_eval(task, *options); }); };
            }};
}

}  // namespace radial::train
