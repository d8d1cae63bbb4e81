// Formats the results of `eval` as text, as JSON, and as a table of predictions.
#include "radial/apps/cli/eval_results.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/data/image_set.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

/// `value` with 6 significant digits, rounded down, so that the printed threshold keeps no fewer images than `value`.
std::string rounded_down(double value) {
    std::string text = fmt::format("{:.6g}", value);
    for (int step = 1; std::stod(text) > value; ++step) {
        const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 5);
        text = fmt::format("{:.6g}", value - step * unit);
    }
    return text;
}

/// " over 6 views", or "" for one.
std::string over_views(Views views) {
    return views == Views::one ? "" : fmt::format(" over {} views", image_views(views).size());
}

std::string_view name_of(FeatureDistance distance) { return words_of(distance)[static_cast<std::size_t>(distance)]; }

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

/// The file of a test image; empty for images in memory.
std::filesystem::path file_of(const data::Dataset& set, std::int64_t sample) {
    const auto* const images = dynamic_cast<const data::ImageSet*>(&set);
    if (images == nullptr || images->files == nullptr) return {};
    return images->files->at(static_cast<std::size_t>(sample));
}

std::string retrieval_line(const RetrievalResult& retrieval) {
    std::string text = fmt::format("retrieval by {} distance:", name_of(retrieval.options.distance));
    for (std::size_t k = 0; k < retrieval.options.recall_at.size(); ++k)
        text += fmt::format(" recall@{} {:.4f},", retrieval.options.recall_at[k], retrieval.metrics.recall[k]);
    return text + fmt::format(" R-precision {:.4f}, MAP@R {:.4f}\n", retrieval.metrics.r_precision,
                              retrieval.metrics.map_at_r);
}

Json as_json(const RetrievalResult& retrieval) {
    Json json = {{"distance", name_of(retrieval.options.distance)}, {"queries", retrieval.metrics.queries}};
    for (std::size_t k = 0; k < retrieval.options.recall_at.size(); ++k)
        json[fmt::format("recall_at_{}", retrieval.options.recall_at[k])] = retrieval.metrics.recall[k];
    json["r_precision"] = retrieval.metrics.r_precision;
    json["map_at_r"] = retrieval.metrics.map_at_r;
    return json;
}

void add_classes(Json& json, const EvalResult& result) {
    if (result.test.classes > usual_top)
        json[fmt::format("top_{}_accuracy", usual_top)] = number(result.test.top_accuracy(usual_top));
    const std::vector<ClassMetrics> classes = class_metrics(result.test.confusion());
    const ClassMetrics macro = macro_average(classes);
    json["macro_average"] = {{"precision", macro.precision}, {"recall", macro.recall}, {"f1", macro.f1}};
    const Calibration found = calibration(result.test);
    json["calibration"] = {{"expected_error", found.expected_error}, {"largest_error", found.largest_error}};
    for (const CalibrationBin& bin : found.bins)
        json["calibration"]["bins"].push_back({{"low", bin.low},
                                               {"high", bin.high},
                                               {"images", bin.count},
                                               {"mean_confidence", bin.mean_confidence},
                                               {"accuracy", bin.accuracy}});
    for (std::size_t c = 0; c < classes.size(); ++c)
        json["classes"].push_back({{"name", text_to_json(result.class_name(static_cast<std::int64_t>(c)))},
                                   {"images", classes[c].support},
                                   {"predicted", classes[c].predicted},
                                   {"precision", classes[c].precision},
                                   {"recall", classes[c].recall},
                                   {"f1", classes[c].f1}});
}

std::string predictions_csv(const EvalResult& result) {
    const Evaluation& test = result.test;
    std::string table = "sample,file,class,predicted,probability,correct\n";
    for (std::size_t i = 0; i < test.labels.size(); ++i)
        table +=
            fmt::format("{},{},{},{},{:.6g},{}\n", test.samples[i], csv_path(file_of(*result.set, test.samples[i])),
                        csv_name(result.class_name(test.labels[i])), csv_name(result.class_name(test.predicted[i])),
                        test.confidences[i], test.labels[i] == test.predicted[i]);
    return table;
}

Json predictions_json(const EvalResult& result) {
    const Evaluation& test = result.test;
    Json rows = Json::array();
    for (std::size_t i = 0; i < test.labels.size(); ++i) {
        Json row = {{"sample", test.samples[i]}};
        if (const auto file = file_of(*result.set, test.samples[i]); !file.empty())
            row["file"] = text_to_json(file.string());
        row["class"] = text_to_json(result.class_name(test.labels[i]));
        row["predicted"] = text_to_json(result.class_name(test.predicted[i]));
        row["probability"] = number(test.confidences[i]);
        row["correct"] = test.labels[i] == test.predicted[i];
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace

std::string verification_text(const VerificationMetrics& found, FeatureDistance distance) {
    std::string text = fmt::format(
        "{} pairs of the same class, {} of different classes, {} distance\nAUROC {:.4f}, equal error rate {:.4f}\n",
        found.same, found.different, name_of(distance), found.auroc, found.equal_error_rate);
    text += fmt::format("{:>10}  {:>8}  {:>10}\n", "FAR up to", "TAR", "threshold");
    for (const OperatingPoint& point : found.points)
        text += fmt::format("{:>10}  {:>8.4f}  {:>10.6g}\n", point.limit, point.true_accept, point.threshold);
    return text;
}

nlohmann::ordered_json verification_json(const VerificationMetrics& found, FeatureDistance distance) {
    nlohmann::ordered_json json = {{"distance", name_of(distance)},
                                   {"same", found.same},
                                   {"different", found.different},
                                   {"auroc", found.auroc},
                                   {"equal_error_rate", found.equal_error_rate}};
    for (const OperatingPoint& point : found.points) {
        json["points"].push_back({{"limit", point.limit},
                                  {"threshold", number(point.threshold)},  // null if no pair is accepted
                                  {"false_accept", point.false_accept},
                                  {"true_accept", point.true_accept}});
    }
    return json;
}

std::string EvalResult::class_name(std::int64_t c) const {
    const auto index = static_cast<std::size_t>(c);
    return index < set->class_names.size() ? set->class_names[index] : fmt::format("{}", c);
}

std::string summary(const EvalResult& result) {
    const Evaluation& test = result.test;
    std::string text = fmt::format("model: {}, {}-D feature; loss: {}\n{} loss: {:.4f}\n", result.spec.model,
                                   result.spec.dim, result.spec.loss, result.part, test.loss);
    if (std::isnan(test.accuracy())) return text;
    text += fmt::format("{} accuracy{}: {:.2f}% ({} of {})\n", result.part, over_views(result.views),
                        100 * test.accuracy(), test.correct, test.total);
    if (!result.has_classes()) return text;
    if (test.classes > usual_top)
        text += fmt::format("top-{} accuracy: {:.2f}%\n", usual_top, 100 * test.top_accuracy(usual_top));
    const ClassMetrics macro = macro_average(class_metrics(test.confusion()));
    text += fmt::format(
        "mean over the classes: precision {:.4f}, recall {:.4f}, F1 {:.4f}\n"
        "calibration: expected error {:.4f} in {} bins\n",
        macro.precision, macro.recall, macro.f1, calibration(test).expected_error, usual_bins);
    if (result.retrieval) text += retrieval_line(*result.retrieval);
    if (result.verification)
        text += "verification: " + verification_text(result.verification->metrics, result.verification->distance);
    return text;
}

std::string score_table(const EvalResult& result) {
    if (result.scores.empty()) return "";
    const bool separated = result.scores.front().separation.has_value();
    std::string text =
        fmt::format("{:<12}  {:>12}{}\n", "score", "keeps 95% at", separated ? "   AUROC  FPR at 95% TPR" : "");
    for (const ScoreResult& score : result.scores) {
        text += fmt::format("{:<12}  {:>12}", score.name, rounded_down(score.threshold));
        if (separated)
            text += fmt::format("  {:.4f}  {:.4f}", score.separation->auroc, score.separation->false_positives);
        text += "\n";
    }
    return text;
}

std::string class_table(const EvalResult& result) {
    const std::vector<ClassMetrics> classes = class_metrics(result.test.confusion());
    std::vector<std::size_t> order(classes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t c) { return classes[c].f1; });
    std::string text = "precision  recall      F1  images  class\n";
    for (const std::size_t c : order)
        text += fmt::format("{:>9.4f}  {:>6.4f}  {:>6.4f}  {:>6}  {}\n", classes[c].precision, classes[c].recall,
                            classes[c].f1, classes[c].support, shown(result.class_name(static_cast<std::int64_t>(c))));
    return text;
}

Json as_json(const EvalResult& result) {
    Json json = {{"checkpoint", text_to_json(result.checkpoint.string())},
                 {"model", result.spec.model},
                 {"loss", result.spec.loss},
                 {"views", image_views(result.views).size()},
                 {"images", result.test.total},
                 {"test_loss", number(result.test.loss)},
                 {"test_accuracy", number(result.test.accuracy())}};
    if (result.has_classes()) add_classes(json, result);
    if (result.retrieval) json["retrieval"] = as_json(*result.retrieval);
    if (result.verification)
        json["verification"] = verification_json(result.verification->metrics, result.verification->distance);
    if (result.outliers.set != nullptr) {
        json["outliers"] = {{"folder", text_to_json(result.outlier_folder.string())},
                            {"format", result.outliers.format},
                            {"images", result.outlier_count}};
    }
    json["scores"] = Json::object();
    for (const ScoreResult& score : result.scores) {
        Json& entry = json["scores"][score.name];
        entry["keeps_95"] = score.threshold;
        if (!score.separation) continue;
        entry["auroc"] = score.separation->auroc;
        entry["fpr_at_95_tpr"] = score.separation->false_positives;
    }
    return json;
}

void check_predictions_path(const std::filesystem::path& path) {
    const std::string ending = path.extension().string();
    RADIAL_CHECK(ending == ".csv" || ending == ".json", "--predictions {}: expected a name that ends in .csv or .json",
                 shown(path.string()));
}

void write_predictions(const std::filesystem::path& path, const EvalResult& result) {
    write_file(path, path.extension() == ".csv" ? predictions_csv(result) : predictions_json(result).dump(1) + "\n");
}

}  // namespace radial::train
