// The command `eval`: evaluates a checkpoint on the test set, and how well its scores tell other images from that set.
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/outliers.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/run/input_notes.h"
#include "radial/apps/train/scores.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace radial::train {
namespace {

struct EvalOptions {
    std::filesystem::path checkpoint, data, outliers, json;
    std::int64_t batch = 128;
    int threads = 0, workers = 1;
    std::string device = "cpu";
    Precision precision = Precision::float32;
    Views views = Views::one;
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

/// A score's threshold and, with outliers, how well it separates them from the test set.
struct ScoreResult {
    std::string name;
    double threshold = 0;                  ///< keeps 95% of the test set
    std::optional<Separation> separation;  ///< none without outliers
};

/// What `eval` finds.
struct EvalResult {
    Evaluation test;
    std::vector<ScoreResult> scores;  ///< none for targets that are not classes
    Outliers outliers;                ///< the set is null without --outliers
    std::size_t outlier_count = 0;    ///< number of outliers that could be read
};

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

/// Computes the thresholds of the scores of the test set and, with `outliers`, the separation.
void rate_scores(EvalResult& result, const std::vector<SampleScore>& outliers) {
    for (const SampleScore& score : result.test.scores) {
        ScoreResult rated{.name = score.name, .threshold = threshold_keeping(score), .separation = {}};
        if (result.outliers.set != nullptr) rated.separation = separation(score, score_named(outliers, score.name));
        result.scores.push_back(std::move(rated));
    }
}

/// `value` with 6 significant digits, rounded down, so that a threshold keeps no fewer images than `value` does.
std::string rounded_down(double value) {
    std::string text = fmt::format("{:.6g}", value);
    for (int step = 1; std::stod(text) > value; ++step) {
        const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 5);
        text = fmt::format("{:.6g}", value - step * unit);
    }
    return text;
}

void print_scores(const EvalResult& result) {
    if (result.scores.empty()) return;
    const bool separated = result.scores.front().separation.has_value();
    fmt::print("{:<12}  {:>12}{}\n", "score", "keeps 95% at", separated ? "   AUROC  FPR at 95% TPR" : "");
    for (const ScoreResult& score : result.scores) {
        fmt::print("{:<12}  {:>12}", score.name, rounded_down(score.threshold));
        if (separated) fmt::print("  {:.4f}  {:.4f}", score.separation->auroc, score.separation->false_positives);
        fmt::print("\n");
    }
}

/// " over 6 views", or "" for one.
std::string over_views(Views views) {
    return views == Views::one ? "" : fmt::format(" over {} views", image_views(views).size());
}

nlohmann::ordered_json as_json(const EvalOptions& options, const ClassifierSpec& spec, const EvalResult& result) {
    const auto number = [](double value) { return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr; };
    nlohmann::ordered_json json = {{"checkpoint", text_to_json(options.checkpoint.string())},
                                   {"model", spec.model},
                                   {"loss", spec.loss},
                                   {"views", image_views(options.views).size()},
                                   {"images", result.test.total},
                                   {"test_loss", number(result.test.loss)},
                                   {"test_accuracy", number(result.test.accuracy())}};
    if (result.outliers.set != nullptr) {
        json["outliers"] = {{"folder", text_to_json(options.outliers.string())},
                            {"format", result.outliers.format},
                            {"images", result.outlier_count}};
    }
    json["scores"] = nlohmann::ordered_json::object();
    for (const ScoreResult& score : result.scores) {
        nlohmann::ordered_json& entry = json["scores"][score.name];
        entry["keeps_95"] = score.threshold;
        if (!score.separation) continue;
        entry["auroc"] = score.separation->auroc;
        entry["fpr_at_95_tpr"] = score.separation->false_positives;
    }
    return json;
}

/// Evaluates the outliers, if any, and rates all scores.
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
    data::Loader loader(set, loader_options(task, options));
    EvalResult result;
    if (!options.outliers.empty()) result.outliers = read_outliers(task, options.outliers, *set);
    result.test = evaluate(*classifier.model, *classifier.loss, loader, device,
                           {.keep_scores = true, .precision = options.precision, .views = options.views});
    check_scores(result.test, options.checkpoint);
    fmt::print("model: {}, {}-D feature; loss: {}\n", classifier.spec.model, classifier.spec.dim, classifier.spec.loss);
    fmt::print("test loss: {:.4f}\n", result.test.loss);
    if (!std::isnan(result.test.accuracy()))
        fmt::print("test accuracy{}: {:.2f}% ({} of {})\n", over_views(options.views), 100 * result.test.accuracy(),
                   result.test.correct, result.test.total);
    print_problems(*set, loader);
    compare_with_outliers(task, options, classifier, device, result);
    print_scores(result);
    if (!options.json.empty()) write_file(options.json, as_json(options, classifier.spec, result).dump(2) + "\n");
}

}  // namespace

Command eval_command(const ImageTask& task) {
    return {"eval", "Evaluate a checkpoint on the test set", [task](CLI::App& app) {
                auto options = std::make_shared<EvalOptions>();
                app.add_option("--checkpoint", options->checkpoint, "Checkpoint written by train")->type_name("FILE");
                add_data_option(app, options->data, task.set);
                app.add_option("--outliers", options->outliers,
                               "Folder of images of other classes, which the scores are to tell from the test set")
                    ->type_name("DIR");
                app.add_option("--json", options->json, "Also write the results to this file")->type_name("FILE");
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
                FlagAdder(app, app.get_help_ptr()->get_group())(
                    "views", options->views,
                    "Views of each image whose logits are averaged for the test accuracy: 1; 2 (and mirrored); 6 (and "
                    "both shifted by one pixel to the upper left and the lower right, at half the weight)");
                if (task.picture_files) add_picture_options(app, options->pictures, false);
                return [task, options] { with_memory_advice(options->batch, [&] { run_eval(task, *options); }); };
            }};
}

}  // namespace radial::train
