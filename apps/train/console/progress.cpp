// Formats and prints the progress of a run.
#include "radial/apps/train/console/progress.h"

#include "radial/apps/train/console/safe_text.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

constexpr int max_bar_width = 24, fallback_columns = 80;

int terminal_columns() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return fallback_columns;
    return size.ws_col;
}

std::string bar(double fraction, int width) {
    const int full = static_cast<int>(std::floor(fraction * width));
    std::string text(static_cast<std::size_t>(width), ' ');
    std::fill_n(text.begin(), full, '=');
    if (full < width) text[static_cast<std::size_t>(full)] = '>';
    return "[" + text + "] ";
}

}  // namespace

std::string format_duration(double seconds) {
    const auto total = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
    const std::int64_t hours = total / 3600, minutes = total / 60 % 60, rest = total % 60;
    return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest) : fmt::format("{}:{:02}", minutes, rest);
}

std::string format_progress(const ProgressState& state, int bar_width) {
    const double fraction = state.steps > 0 ? static_cast<double>(state.step) / static_cast<double>(state.steps) : 0.0;
    const std::string accuracy =
        std::isnan(state.accuracy) ? "" : fmt::format("accuracy {:.2f}%  ", 100 * state.accuracy);
    return fmt::format("epoch {}/{} {}{:3.0f}%  loss {:.4f}  {}{:.0f} images/s  {} left", state.epoch, state.epochs,
                       bar_width > 0 ? bar(fraction, bar_width) : std::string(" "), 100 * fraction, state.loss,
                       accuracy, state.images_per_second, format_duration(state.seconds_left));
}

Progress::Progress() : terminal_(isatty(STDOUT_FILENO) != 0), last_(std::chrono::steady_clock::now()) {}

void Progress::update(const ProgressState& state) {
    const auto now = std::chrono::steady_clock::now();
    const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
    if (now - last_ < interval) return;
    last_ = now;
    if (!terminal_) {
        print_on(format_progress(state, 0) + "\n");
    } else {
        const int columns = terminal_columns();
        const int plain = static_cast<int>(format_progress(state, 0).size());
        const int width = std::clamp(columns - plain - 4, 0, max_bar_width);
        print_on(erasure() + format_progress(state, width).substr(0, static_cast<std::size_t>(columns - 1)));
        drawn_ = true;
    }
}

void Progress::line(const std::string& text) {
    print_on(erasure() + shown_lines(text) + "\n");
    drawn_ = false;
}

std::string Progress::erasure() const { return drawn_ ? "\r\x1b[K" : ""; }

}  // namespace radial::train
