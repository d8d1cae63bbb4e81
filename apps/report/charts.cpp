// Grid, axes and round tick values of every chart, and curves over epochs.
#include "radial/apps/report/charts.h"

#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

constexpr double left = 52, right = 12, top = 10, bottom = 28;

constexpr double curves_width = 560, curves_height = 300;
constexpr std::size_t colours = 8;  // --s0 .. --s7 of the page's style

std::string format_value(double value, bool percent) {
    return percent ? fmt::format("{:.2f}%", 100 * value) : fmt::format("{:.4g}", value);
}

Axis epoch_axis(std::size_t epochs) {
    const auto last = static_cast<double>(epochs);
    // With one epoch the only point stands in the middle.
    Axis axis{.low = epochs > 1 ? 1.0 : 0.0, .high = std::max(2.0, last), .ticks = {}, .label = [](double epoch) {
                  return fmt::format("{:.0f}", epoch);
              }};
    const double step = std::max(1.0, std::ceil(last / 12));
    for (double epoch = epochs > 12 ? step : 1; epoch <= last; epoch += step) axis.ticks.push_back(epoch);
    return axis;
}

Axis value_axis(const std::vector<Series>& series, bool percent) {
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (const Series& line : series) {
        for (const double value : line.values) {
            if (!std::isfinite(value)) continue;
            low = std::min(low, value);
            high = std::max(high, value);
        }
    }
    if (low > high) low = high = 0;
    if (!percent) low = 0;
    const double margin = std::max(0.05 * (high - low), percent ? 0.001 : 1e-9);
    Axis axis;
    axis.low = percent ? std::max(0.0, low - margin) : 0;
    axis.high = percent ? std::min(1.0, high + margin) : high + margin;
    axis.ticks = round_ticks(axis.low, axis.high, 5);
    // As many digits as tell neighbouring ticks apart.
    const double gap = (percent ? 100 : 1) * (axis.high - axis.low) / 5;
    const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(gap))), 0, 6);
    axis.label = [percent, digits](double value) {
        return percent ? fmt::format("{:.{}f}%", 100 * value, digits) : fmt::format("{:.{}f}", value, digits);
    };
    return axis;
}

std::string curve(const ChartFrame& frame, const Series& series, std::size_t index, bool percent) {
    std::string path, points;
    bool pen_down = false;
    for (std::size_t i = 0; i < series.values.size(); ++i) {
        const double value = series.values[i];
        if (!std::isfinite(value)) {
            pen_down = false;
            continue;
        }
        const double x = frame.x(static_cast<double>(i + 1)), y = frame.y(value);
        path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x, y);
        pen_down = true;
        points += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="{}"><title>epoch {}: {} {}</title></circle>)", x, y,
                              series.values.size() > 40 ? 2 : 4, i + 1, escape_html(series.name),
                              format_value(value, percent));
    }
    return fmt::format("<g class=\"series {}\"><path d=\"{}\"/>{}</g>\n", line_style(index), path, points);
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
    const double rough = (high - low) / count, power = std::pow(10.0, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (const double factor : {5.0, 2.0, 1.0})
        if (factor * power >= rough * 0.999) step = factor * power;
    std::vector<double> ticks;
    // Multiples of the step, so that no error accumulates; the margin keeps an end that is itself a tick.
    for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) ticks.push_back(i * step + 0.0);
    return ticks;
}

ChartFrame::ChartFrame(double width, double height, Axis x, Axis y)
    : width_(width), height_(height), x_(std::move(x)), y_(std::move(y)) {}

double ChartFrame::x(double value) const {
    return left + (value - x_.low) / (x_.high - x_.low) * (width_ - left - right);
}

double ChartFrame::y(double value) const {
    return height_ - bottom - (value - y_.low) / (y_.high - y_.low) * (height_ - top - bottom);
}

std::string ChartFrame::open(const std::string& description) const {
    std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", width_, height_,
                                  escape_html(description));
    for (const double tick : y_.ticks) {
        svg += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", left, width_ - right,
                           y(tick), y(tick));
        svg += fmt::format(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)", left - 7, y(tick) + 4,
                           y_.label(tick));
    }
    for (const double tick : x_.ticks) {
        svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x(tick),
                           height_ - bottom + 18, x_.label(tick));
    }
    svg += fmt::format(R"(<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>)", left, width_ - right,
                       height_ - bottom, height_ - bottom);
    return svg + "\n";
}

std::string line_style(std::size_t index) {
    const std::string colour = fmt::format("s{}", index % colours);
    return index < colours ? colour : colour + " dashed";
}

std::string line_chart(const std::vector<Series>& series, bool percent) {
    std::string legend = "<ul class=\"legend\">", description = "Over epochs:";
    std::size_t epochs = 1;
    for (std::size_t i = 0; i < series.size(); ++i) {
        const std::vector<double>& values = series[i].values;
        epochs = std::max(epochs, values.size());
        const auto last = std::find_if(values.rbegin(), values.rend(), [](double v) { return std::isfinite(v); });
        if (last == values.rend()) continue;  // nothing of it is drawn
        legend += fmt::format("<li><i class=\"line {}\"></i><span>{}</span> <b>{}</b></li>", line_style(i),
                              escape_html(series[i].name), format_value(*last, percent));
        description += " " + series[i].name;
    }
    const ChartFrame frame(curves_width, curves_height, epoch_axis(epochs), value_axis(series, percent));
    std::string svg = frame.open(description);
    for (std::size_t i = 0; i < series.size(); ++i) svg += curve(frame, series[i], i, percent);
    return legend + "</ul>\n" + svg + "</svg>\n";
}

}  // namespace radial::train
