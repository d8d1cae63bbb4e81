// The sections of a report, the page around them, and the observer that writes it during a run.
#include "radial/apps/report/report.h"

#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/console/progress.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <fmt/core.h>

#include <cmath>

namespace radial::train {
namespace {

/// Whether targets are classes: those of a regression have no accuracy.
bool has_accuracy(const ReportContent& content) { return !std::isnan(content.history.back().test_accuracy); }

std::string tile(const std::string& name, const std::string& value) {
    return fmt::format("<div class=\"tile\"><span>{}</span><b>{}</b></div>\n", escape_html(name), escape_html(value));
}

std::string tiles(const ReportContent& content) {
    const EpochResult& last = content.history.back();
    double seconds = 0;
    for (const EpochResult& epoch : content.history) seconds += epoch.seconds;
    std::string html = "<div class=\"tiles\">\n";
    if (has_accuracy(content)) {
        html += tile("Test accuracy, last epoch", percent(last.test_accuracy));
        html += tile(fmt::format("Best test accuracy, epoch {} (best.safetensors)", last.best_epoch),
                     percent(last.best_accuracy));
        if (content.evaluation.classes > usual_top && !content.evaluation.label_ranks.empty())
            html += tile(fmt::format("Top-{} test accuracy, last epoch", usual_top),
                         percent(content.evaluation.top_accuracy(usual_top)));
    } else {
        const EpochResult& best = content.history[static_cast<std::size_t>(last.best_epoch - 1)];
        html += tile("Test loss, last epoch", fmt::format("{:.4f}", last.test_loss));
        html += tile(fmt::format("Lowest test loss, epoch {} (best.safetensors)", last.best_epoch),
                     fmt::format("{:.4f}", best.test_loss));
    }
    html += tile("Training loss", fmt::format("{:.4f}", last.train_loss));
    for (const MetricResult& metric : last.metrics)
        if (std::isfinite(metric.mean)) html += tile(metric_title(metric.name), fmt::format("{:.3f}", metric.mean));
    html += tile("Images a second", fmt::format("{:.0f}", last.images_per_second));
    return html + tile("Time", format_duration(seconds)) + "</div>\n";
}

template <class F>
Series series(const ReportContent& content, std::string name, const F& value) {
    Series line{.name = std::move(name), .values = {}};
    for (const EpochResult& epoch : content.history) line.values.push_back(value(epoch));
    return line;
}

constexpr std::size_t most_in_table = 20, most_in_map = 250;
constexpr std::size_t most_beside_charts = 40;  // classes whose bars fit into half the page's width

std::string confusion_of(const ReportContent& content, const Confusion& confusion) {
    const Evaluation& found = content.evaluation;
    const std::string fact =
        fmt::format("{} of {} test images in the right class after the last epoch.", found.correct, found.total);
    const std::size_t classes = content.class_names.size();
    if (classes <= most_in_table) {
        return html_section("Confusion matrix", fact + " Rows: true class; columns: predicted class.",
                            confusion_table(confusion, content.class_names));
    }
    std::string html;
    if (classes <= most_in_map) {
        html += html_section("Confusion matrix",
                             fact + " Classes by number; the darker a square, the larger its share of the true class.",
                             confusion_map(confusion, content.class_names));
    }
    const std::string pairs = confused_pairs(confusion, content.class_names, classes <= most_in_map ? 20 : 12);
    return html + html_section("Most confused classes", classes <= most_in_map ? "" : fact,
                               pairs.empty() ? "<p>None was confused.</p>" : pairs);
}

std::string accuracies(const ReportContent& content, const Confusion& confusion) {
    return html_section("Accuracy by class",
                        "The share of each class's test images that are classified correctly, lowest first.",
                        class_accuracy(confusion, content.class_names));
}

std::string reliability(const ReportContent& content) {
    if (content.evaluation.confidences.empty()) return "";
    const Calibration found = calibration(content.evaluation);
    return html_section("Calibration",
                        fmt::format("The accuracy of the test images in each bin of confidence, the predicted class's "
                                    "part in the softmax of the scores. On the line, confidence equals accuracy. "
                                    "Expected calibration error: {:.4f}.",
                                    found.expected_error),
                        reliability_chart(found));
}

std::string mistakes(const ReportContent& content) {
    if (content.mistakes.empty()) return "";
    const auto name = [&](std::int64_t c) { return escape_html(content.class_names[static_cast<std::size_t>(c)]); };
    std::string html = "<div class=\"gallery\">\n";
    for (const auto& [mistake, picture] : content.mistakes) {
        html += fmt::format(
            "<figure><img src=\"{0}\" alt=\"{1}\" title=\"test image {5}, {6} x {7} pixels\"{8}><figcaption>"
            "<b>{1}</b><span>taken for <b>{2}</b></span><span>{3:.{4}f}%</span></figcaption></figure>\n",
            data_uri(picture.file), name(mistake.truth), name(mistake.predicted), 100 * mistake.confidence,
            mistake.confidence > 0.995 ? 2 : 1, mistake.sample, picture.width, picture.height,
            picture.width < 64 ? " class=\"coarse\"" : "");
    }
    return html_section("Worst mistakes",
                        "The wrong ones of the last epoch's test images with the greatest confidence: the predicted "
                        "class's part in the softmax of the scores.",
                        html + "</div>\n");
}

/// A curve for each metric of the loss.
std::string metric_curves(const ReportContent& content) {
    std::string html;
    for (const std::string& name : metric_names(content.history)) {
        const auto found = content.metric_descriptions.find(name);
        std::string text = found == content.metric_descriptions.end() ? "" : found->second;
        for (const MetricResult& metric : content.history.back().metrics)
            if (metric.name == name && std::isfinite(metric.initial))
                text += fmt::format("{}At the first step: {:.3g}.", text.empty() ? "" : " ", metric.initial);
        const auto mean = [&](const EpochResult& e) { return e.metric(name).value_or(std::nan("")); };
        html += html_section(metric_title(name) + " by epoch", text,
                             line_chart({series(content, metric_label(name), mean)}, false));
    }
    return html;
}

std::string curves(const ReportContent& content) {
    const auto train_loss = [](const EpochResult& e) { return e.train_loss; };
    const auto test_loss = [](const EpochResult& e) { return e.test_loss; };
    const auto train_accuracy = [](const EpochResult& e) { return e.train_accuracy; };
    const auto test_accuracy = [](const EpochResult& e) { return e.test_accuracy; };
    std::string html = "<div class=\"grid2\">\n";
    html +=
        html_section("Loss by epoch", "",
                     line_chart({series(content, "test", test_loss), series(content, "training", train_loss)}, false));
    if (has_accuracy(content)) {
        html += html_section(
            "Accuracy by epoch", "",
            line_chart({series(content, "test", test_accuracy), series(content, "training", train_accuracy)}, true));
    }
    html += metric_curves(content);
    if (!has_accuracy(content) || content.class_names.empty()) return html + "</div>\n";
    const Confusion confusion = content.evaluation.confusion();
    html += confusion_of(content, confusion);
    html += reliability(content);
    if (content.class_names.size() > most_beside_charts) return html + "</div>\n" + accuracies(content, confusion);
    return html + accuracies(content, confusion) + "</div>\n";
}

std::string numbers(const ReportContent& content) {
    std::string html =
        "<table class=\"numbers\"><thead><tr><th>epoch</th><th>training loss</th><th>test loss</th>"
        "<th>training accuracy</th><th>test accuracy</th><th>best</th>";
    const std::vector<std::string> metrics = metric_names(content.history);
    for (const std::string& name : metrics) html += fmt::format("<th>{}</th>", escape_html(metric_label(name)));
    html += "<th>gradient norm</th><th>learning rate</th><th>images/s</th><th>seconds</th></tr></thead><tbody>\n";
    for (const EpochResult& e : content.history) {
        html +=
            fmt::format("<tr{}><td>{}</td><td>{:.4f}</td><td>{:.4f}</td><td>{}</td><td>{}</td><td>{}</td>",
                        e.epoch == content.history.back().best_epoch ? " class=\"best\"" : "", e.epoch, e.train_loss,
                        e.test_loss, percent(e.train_accuracy), percent(e.test_accuracy), percent(e.best_accuracy));
        for (const std::string& name : metrics) {
            const double mean = e.metric(name).value_or(std::nan(""));
            html += std::isfinite(mean) ? fmt::format("<td>{:.4f}</td>", mean) : "<td>–</td>";
        }
        html += fmt::format("<td>{:.3g}</td><td>{:.3g}</td><td>{:.0f}</td><td>{:.1f}</td></tr>\n", e.gradient_norm,
                            e.lr, e.images_per_second, e.seconds);
    }
    return html + "</tbody></table>\n";
}

std::string settings(const ReportContent& content) {
    std::string html = "<table class=\"settings\"><tbody>\n";
    for (const auto& [name, value] : content.settings)
        html += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escape_html(name), escape_html(value));
    return html + "</tbody></table>\n";
}

std::string scatter(const ReportContent& content) {
    if (content.dim != 2 || content.evaluation.features.empty() || content.class_names.empty()) return "";
    const Scatter shown{.points = content.evaluation.features,
                        .labels = content.evaluation.labels,
                        .prototypes = content.prototypes,
                        .class_names = content.class_names};
    return html_section("Test features and prototypes",
                        "One dot per test image, at its two-dimensional feature. " + describe(view_of(shown), shown),
                        scatter_legend(content.class_names) + scatter_chart(shown), "scatter");
}

}  // namespace

std::map<std::string, std::string> metric_descriptions(const Loss& loss) {
    std::map<std::string, std::string> descriptions;
    for (const LossMetric& metric : loss.metrics()) descriptions[metric.name] = metric.description;
    return descriptions;
}

std::string report_page(const ReportContent& content) {
    const auto done = static_cast<std::int64_t>(content.history.size());
    const std::string state =
        done < content.epochs_planned ? fmt::format(" (epoch {} of {} done)", done, content.epochs_planned) : "";
    return html_page(content.title + state, content.subtitle,
                     tiles(content) + curves(content) + mistakes(content) + scatter(content) +
                         html_section("Epochs", "The best epoch, by test accuracy or else by test loss, is in bold.",
                                      numbers(content)) +
                         html_section("Settings", "Repeat the run with --config config.json.", settings(content)));
}

namespace {

constexpr std::int64_t picture_side = 128;  // largest shorter side of a mistake's picture, in pixels

}  // namespace

std::vector<PicturedMistake> pictured_mistakes(const data::Dataset& set, const Evaluation& evaluation,
                                               std::size_t count) {
    std::vector<PicturedMistake> pictured;
    for (const Mistake& mistake : worst_mistakes(evaluation, count))
        if (const Tensor picture = set.picture(mistake.sample); picture.defined())
            pictured.push_back({mistake, png_of(picture, picture_side)});
    return pictured;
}

Report::Report(std::filesystem::path path, const Classifier& classifier, const data::Dataset& test,
               ReportOptions options)
    : path_(std::move(path)), classifier_(classifier), test_(test), options_(std::move(options)) {}

void Report::on_epoch(Trainer& trainer, const EpochResult& /*result*/) {
    std::error_code error;
    if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), error);
    if (error) throw FileError(fmt::format("{}: cannot make the folder: {}", path_.string(), error.message()));
    ReportContent content{.title = options_.title,
                          .subtitle = options_.subtitle,
                          .history = trainer.history(),
                          .epochs_planned = trainer.setup().epochs,
                          .evaluation = trainer.evaluation(),
                          .class_names = test_.class_names,
                          .prototypes = {},
                          .dim = 0,
                          .mistakes = pictured_mistakes(test_, trainer.evaluation()),
                          .settings = options_.settings,
                          .metric_descriptions = metric_descriptions(*classifier_.loss)};
    const Tensor prototypes = classifier_.loss->prototypes();
    if (prototypes.defined()) {
        content.prototypes = prototypes.to_vector<float>();
        content.dim = prototypes.size(1);
    }
    write_file(path_, report_page(content));
}

}  // namespace radial::train
