// The command `eval`: evaluates a checkpoint on the test set, and measures how well its scores reject other images.
#include "radial/apps/cli/eval_results.h"
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/outliers.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/run/input_notes.h"
#include "radial/apps/train/run/json_text.h"
#include "radial/apps/train/scores.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/data/split.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {
namespace {

/// Whether features are compared, and by which distance.
enum class Comparison : std::uint8_t { off, euclidean, cosine };
constexpr auto words_of(Comparison /*value*/) {
    return std::to_array<std::string_view>({"off", "euclidean", "cosine"});
}

/// The images that are evaluated.
enum class EvalPart : std::uint8_t {
    test,  ///< the test set
    val    ///< images that --val-split held out of the training set
};
constexpr auto words_of(EvalPart /*value*/) { return std::to_array<std::string_view>({"test", "val"}); }

struct EvalOptions {
    std::filesystem::path checkpoint, data, outliers, json, predictions;
    std::int64_t batch = 128;
    int threads = 0, workers = 1;
    std::string device = "cpu";
    Precision precision = Precision::float32;
    Views views = Views::one;
    EvalPart part = EvalPart::test;
    bool per_class = false;
    Comparison retrieval = Comparison::off, verification = Comparison::off;
    PictureOptions pictures;
};

/// Throws Error unless the classifier has `classes` classes. `what` names the data set or the program that has them.
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

data::LoaderOptions loader_options(const ImageTask& task, const EvalOptions& options) {
    data::LoaderOptions loader{
        .batch_size = options.batch, .workers = options.workers, .mean = task.mean, .std = task.std};
    set_pictures(options.pictures, false, loader);
    return loader;
}

void print_problems(const data::Dataset& set, const data::Loader& loader) {
    for (const std::string& note : set.notes) fmt::print("note: {}\n", shown_lines(note));
    for (const std::string& line : problem_lines(loader)) fmt::print("{}\n", shown_lines(line));
}

/// Computes the threshold of each score of the test set and, if there are outliers, the separation of the test set from
/// `outliers`.
void rate_scores(EvalResult& result, const std::vector<SampleScore>& outliers) {
    for (const SampleScore& score : result.test.scores) {
        ScoreResult rated{.name = score.name, .threshold = threshold_keeping(score), .separation = {}};
        if (result.outliers.set != nullptr) rated.separation = separation(score, score_named(outliers, score.name));
        result.scores.push_back(std::move(rated));
    }
}

/// Evaluates the outliers, if any, and computes the thresholds and separations of all scores.
void compare_with_outliers(const ImageTask& task, const EvalOptions& options, Classifier& classifier, Device device,
                           EvalResult& result) {
    if (result.outliers.set == nullptr) {
        if (result.test.total > 0) rate_scores(result, {});
        return;
    }
    RADIAL_CHECK(!result.test.scores.empty(), "--outliers: the test set has no images with classes to compare with");
    data::Loader loader(result.outliers.set, loader_options(task, options));
    const std::vector<SampleScore> scores =
        score_samples(*classifier.model, *classifier.loss, loader, device, options.precision);
    result.outlier_count = scores.empty() ? 0 : scores.front().values.size();
    RADIAL_CHECK(result.outlier_count > 0, "{}: none of the outliers can be read", options.outliers.string());
    rate_scores(result, scores);
    fmt::print("outliers: {} images of {}, read as {}\n", result.outlier_count, shown(options.outliers.string()),
               result.outliers.format);
    print_problems(*result.outliers.set, loader);
}

/// Computes the metrics of retrieval and verification that were requested.
void compare_features(const EvalOptions& options, EvalResult& result) {
    if (options.retrieval == Comparison::off && options.verification == Comparison::off) return;
    const Evaluation& test = result.test;
    const std::int64_t samples = std::ssize(test.labels), dim = std::ssize(test.features) / samples;
    const Tensor features = Tensor::from(test.features, {samples, dim}, Device{});
    const Tensor labels = Tensor::from(test.labels, {samples}, Device{});
    const auto distance = [](Comparison use) {
        return use == Comparison::cosine ? FeatureDistance::cosine : FeatureDistance::euclidean;
    };
    if (options.retrieval != Comparison::off) {
        const RetrievalOptions retrieval{.distance = distance(options.retrieval)};
        result.retrieval = {.options = retrieval, .metrics = retrieval_metrics(features, labels, retrieval)};
    }
    if (options.verification != Comparison::off) {
        const FeatureDistance by = distance(options.verification);
        result.verification = {.distance = by, .metrics = verify_all_pairs(features, labels, by)};
    }
}

/// The first given option that requires targets that are classes; empty if none was given.
std::string option_of_classes(const EvalOptions& options) {
    if (options.retrieval != Comparison::off) return "--retrieval";
    if (options.verification != Comparison::off) return "--verification";
    if (options.per_class) return "--per-class";
    return options.predictions.empty() ? "" : "--predictions";
}

/// The images that the run of a checkpoint held out of its training set. Throws Error when the run held out none, and
/// when the data differ from those of the run, because they would be divided differently.
std::shared_ptr<data::Dataset> held_out_images(const ImageTask& task, const EvalOptions& options,
                                               const std::map<std::string, std::string>& metadata) {
    const InputNotes notes = input_notes(metadata);
    RADIAL_CHECK(notes.val_split > 0, "--part val: {} is of a run without --val-split", options.checkpoint.string());
    const auto parts = data::split(read_set(task, options.data, true), notes.val_split, notes.split_seed);
    const auto recorded = metadata.find("data");
    if (recorded != metadata.end())
        check_same_data(parse_json(recorded->second), data_record(*parts.train, *parts.held_out), options.data);
    return parts.held_out;
}

void run_eval(const ImageTask& task, const EvalOptions& options) {
    const Device device = start_device(options.device, options.threads, options.precision);
    if (options.checkpoint.empty()) throw FileError("no checkpoint: give --checkpoint FILE");
    if (!options.predictions.empty()) check_predictions_path(options.predictions);
    const TensorFile file = read_safetensors(options.checkpoint);
    Classifier classifier = load_classifier(file, options.checkpoint);
    if (task.classes > 0) check_classes(options.checkpoint, classifier, task.program, task.classes);
    classifier.to(device);
    const std::shared_ptr<data::Dataset> set = options.part == EvalPart::val
                                                   ? held_out_images(task, options, file.metadata)
                                                   : read_set(task, options.data, false);
    if (task.classes == 0)
        check_classes(options.checkpoint, classifier, options.data.empty() ? "the data set" : options.data.string(),
                      outputs_of(*set));
    const InputNotes notes = input_notes(file.metadata);
    const std::string warning = check_class_names(options.checkpoint, notes, *set, options.data);
    if (!warning.empty()) fmt::print("warning: {}\n", warning);
    if (auto* const images = dynamic_cast<data::ImageSet*>(set.get()))
        images->view = view_of(options.pictures, model_named(classifier.spec.model), notes);
    data::Loader loader(set, loader_options(task, options));
    EvalResult result{.checkpoint = options.checkpoint,
                      .spec = classifier.spec,
                      .views = options.views,
                      .part = options.part == EvalPart::val ? "validation" : "test",
                      .set = set,
                      .outlier_folder = options.outliers};
    if (!options.outliers.empty()) result.outliers = read_outliers(task, options.outliers, *set);
    result.test =
        evaluate(*classifier.model, *classifier.loss, loader, device,
                 {.keep_features = options.retrieval != Comparison::off || options.verification != Comparison::off,
                  .keep_scores = true,
                  .precision = options.precision,
                  .views = options.views});
    check_scores(result.test, options.checkpoint);
    const std::string needs_classes = option_of_classes(options);
    RADIAL_CHECK(result.has_classes() || needs_classes.empty(), "{}: the targets of the test set are not classes",
                 needs_classes);
    compare_features(options, result);
    fmt::print("{}", summary(result));
    print_problems(*set, loader);
    compare_with_outliers(task, options, classifier, device, result);
    fmt::print("{}", score_table(result));
    if (options.per_class) fmt::print("{}", class_table(result));
    if (!options.json.empty()) write_file(options.json, as_json(result).dump(2) + "\n");
    if (!options.predictions.empty()) write_predictions(options.predictions, result);
}

}  // namespace

Command eval_command(const ImageTask& task) {
    return {"eval", "Evaluate a checkpoint on the test set", [task](CLI::App& app) {
                auto options = std::make_shared<EvalOptions>();
                app.add_option("--checkpoint", options->checkpoint, "Checkpoint written by train")->type_name("FILE");
                add_data_option(app, options->data, task.set);
                const FlagAdder add(app, app.get_help_ptr()->get_group());
                add("part", options->part,
                    "Images to evaluate: test, or val (those that --val-split held out of the training set)");
                app.add_option("--outliers", options->outliers,
                               "Folder of images of other classes, which the scores are to tell from the test set")
                    ->type_name("DIR");
                app.add_option("--json", options->json, "Also write the results to this file")->type_name("FILE");
                app.add_option("--predictions", options->predictions,
                               "Also write the prediction for each test image to this file, as CSV or JSON by its "
                               "ending")
                    ->type_name("FILE");
                app.add_flag("--per-class", options->per_class, "Print precision, recall and F1 of each class");
                add("retrieval", options->retrieval,
                    "Print recall@K, R-precision and MAP@R of the features by this distance, with each test image as a "
                    "query among the others");
                add("verification", options->verification,
                    "Print AUROC, the equal error rate and TAR at FAR of deciding by this distance whether two test "
                    "images are of the same class");
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
                add("views", options->views,
                    "Views of each image whose logits are averaged for the test accuracy: 1; 2 (and mirrored); 6 (and "
                    "both shifted by one pixel to the upper left and the lower right, at half the weight)");
                if (task.picture_files) add_picture_options(app, options->pictures, false);
                return [task, options] { with_memory_advice(options->batch, [&] { run_eval(task, *options); }); };
            }};
}

}  // namespace radial::train
