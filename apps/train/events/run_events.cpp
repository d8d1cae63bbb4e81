// Choosing and naming what goes into a run's event file.
#include "radial/apps/train/events/run_events.h"

#include "radial/apps/train/console/safe_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

constexpr std::size_t most_pictures = 8;

/// Text within a cell of a Markdown table.
std::string cell(const std::string& text) {
    std::string escaped;
    for (const char c : shown(text)) {
        if (c == '|' || c == '\\' || c == '<' || c == '`' || c == '*' || c == '_') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::string table_of(const std::vector<PicturedMistake>& mistakes, const std::vector<std::string>& class_names) {
    std::string text = "| picture | test sample | true class | predicted class | confidence |\n|---|---|---|---|---|\n";
    for (std::size_t i = 0; i < mistakes.size(); ++i) {
        const Mistake& mistake = mistakes[i].mistake;
        text +=
            fmt::format("| {} | {} | {} | {} | {:.3f} |\n", i < most_pictures ? fmt::format("mistakes/{}", i + 1) : "–",
                        mistake.sample, cell(class_names[static_cast<std::size_t>(mistake.truth)]),
                        cell(class_names[static_cast<std::size_t>(mistake.predicted)]), mistake.confidence);
    }
    return text;
}

}  // namespace

RunEvents::RunEvents(const std::filesystem::path& folder, std::int64_t first_step, std::int64_t log_steps)
    : file_(folder, first_step), log_steps_(log_steps) {}

void RunEvents::step(const StepReport& report) {
    if (log_steps_ == 0) return;
    note_speed(report);
    ++window_.steps;
    window_.images += report.images;
    window_.loss += report.numbers.loss * static_cast<double>(report.images);
    window_.correct += report.numbers.correct;
    window_.gradient_norm += report.numbers.gradient_norm;
    window_.metrics.add(report.numbers.metrics);
    if (report.step % log_steps_ != 0) return;

    const auto steps = static_cast<double>(window_.steps), images = static_cast<double>(window_.images);
    std::vector<TaggedScalar> scalars{{"step/loss", window_.loss / images},
                                      {"step/accuracy", window_.correct / images},
                                      {"step/gradient_norm", window_.gradient_norm / steps},
                                      {"step/learning_rate", report.lr}};
    for (const MetricResult& metric : window_.metrics.results())
        scalars.emplace_back("step/" + metric.name, metric.mean);
    if (const auto speed = images_per_second()) scalars.emplace_back("step/images_per_second", *speed);
    add_finite(report.step, std::move(scalars));
    file_.flush();
    window_ = {};
}

// Targets that are not classes have no accuracy. A loss that is not finite is written: it is what went wrong.
void RunEvents::add_finite(std::int64_t step, std::vector<TaggedScalar> scalars) {
    std::erase_if(scalars, [](const TaggedScalar& scalar) {
        return std::isnan(scalar.second) && scalar.first.find("accuracy") != std::string::npos;
    });
    file_.add_scalars(step, scalars);
}

// The host may look at many steps at once, so that only what came before a look is known to be whole.
void RunEvents::note_speed(const StepReport& report) {
    if (report.seconds != now_.seconds) whole_ = now_;
    now_.seconds = report.seconds;
    now_.images += report.images;
    if (!last_ && whole_.seconds > 0) last_ = whole_;
}

std::optional<double> RunEvents::images_per_second() {
    if (!last_ || whole_.seconds <= last_->seconds) return std::nullopt;
    const double speed = static_cast<double>(whole_.images - last_->images) / (whole_.seconds - last_->seconds);
    last_ = whole_;
    return speed;
}

void RunEvents::epoch(const EpochResult& result, std::int64_t step, const Evaluation& evaluation,
                      const std::vector<PicturedMistake>& mistakes, const std::vector<std::string>& class_names) {
    std::vector<TaggedScalar> scalars{{"epoch/train_loss", result.train_loss},
                                      {"epoch/train_accuracy", result.train_accuracy},
                                      {"epoch/test_loss", result.test_loss},
                                      {"epoch/test_accuracy", result.test_accuracy},
                                      {"epoch/gradient_norm", result.gradient_norm},
                                      {"epoch/learning_rate", result.lr},
                                      {"epoch/images_per_second", result.images_per_second}};
    for (const MetricResult& metric : result.metrics) scalars.emplace_back("epoch/" + metric.name, metric.mean);
    add_finite(step, std::move(scalars));
    file_.add_histogram(step, "squared distance/to the own prototype", evaluation.own_distances);
    file_.add_histogram(step, "squared distance/to the nearest other prototype", evaluation.nearest_distances);
    for (std::size_t i = 0; i < std::min(mistakes.size(), most_pictures); ++i) {
        const PngPicture& picture = mistakes[i].picture;
        file_.add_image(step, fmt::format("mistakes/{}", i + 1), picture.file, picture.width, picture.height,
                        picture.channels);
    }
    if (!mistakes.empty()) file_.add_text(step, "mistakes", table_of(mistakes, class_names));
    file_.flush();
    // Evaluating took time that is none of the next epoch's.
    last_.reset();
    whole_ = now_ = {};
}

}  // namespace radial::train
