// Grid, axes and round tick values.
#include "radial/apps/report/chart_frame.h"

#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <cmath>

namespace radial::train {
namespace {

constexpr double left = 52, right = 12, top = 10, bottom = 28;

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

}  // namespace radial::train
