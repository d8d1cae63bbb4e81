// Draws the moving average of the loss against the learning rate.
#include "radial/apps/report/rate_page.h"

#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

constexpr double width = 560, height = 300;

/// An axis of powers of ten.
Axis rate_axis(const RateCurve& curve) {
    Axis axis{.low = std::log10(curve.points.front().lr),
              .high = std::log10(curve.points.back().lr),
              .ticks = {},
              .label = [](double exponent) { return fmt::format("{:g}", std::pow(10, exponent)); }};
    for (double power = std::ceil(axis.low - 1e-9); power <= axis.high + 1e-9; ++power) axis.ticks.push_back(power);
    return axis;
}

/// The loss axis. It begins at the lowest average and ends at the highest, but at most as far above the first average
/// as the lowest is below it, so that divergence at the end does not flatten the rest of the curve.
Axis loss_axis(const RateCurve& curve) {
    const auto [low, high] = std::ranges::minmax(curve.points, {}, &RatePoint::smoothed);
    const double top = std::min(high.smoothed, 2 * curve.points.front().smoothed - low.smoothed);
    const double margin = std::max(0.05 * (top - low.smoothed), 1e-9);
    Axis axis{.low = low.smoothed - margin, .high = top + margin, .ticks = {}, .label = [](double loss) {
                  return fmt::format("{:.4g}", loss);
              }};
    axis.ticks = round_ticks(axis.low, axis.high, 5);
    return axis;
}

std::string line(const RateCurve& curve, const ChartFrame& frame, const Axis& losses) {
    std::string path, points;
    for (const RatePoint& point : curve.points) {
        const double x = frame.x(std::log10(point.lr));
        const double y = frame.y(std::clamp(point.smoothed, losses.low, losses.high));
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
        points += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="2"><title>{:.3g}: {:.4f}</title></circle>)", x, y,
                              point.lr, point.smoothed);
    }
    return fmt::format("<g class=\"series {}\"><path d=\"{}\"/>{}</g>\n", line_style(0), path, points);
}

}  // namespace

std::string rate_page(const RateCurve& curve, const std::string& subtitle) {
    RADIAL_CHECK(curve.points.size() >= 2, "rate_page: {} points, expected at least 2", curve.points.size());
    const Axis rates = rate_axis(curve), losses = loss_axis(curve);
    const ChartFrame frame(width, height, rates, losses);
    std::string chart = frame.open("Moving average of the training loss over the learning rate");
    chart += line(curve, frame, losses);
    const double best = curve.steepest();
    std::string note =
        "The moving average of the training loss, while the learning rate grows by the same factor in "
        "every step. ";
    if (std::isnan(best)) {
        note += "It never falls.";
    } else {
        const double at = frame.x(std::log10(best));
        chart += fmt::format("<line class=\"equal\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>", at,
                             frame.y(losses.low), frame.y(losses.high));
        note += fmt::format("It falls fastest at {:.3g} (the vertical line) and is lowest at {:.3g}.", best,
                            curve.lowest());
    }
    TextTable table{.headers = {"learning rate", "loss", "average"}, .rows = {}, .numbers_from = 0};
    for (const RatePoint& point : curve.points) {
        table.rows.push_back({fmt::format("{:.3g}", point.lr), fmt::format("{:.4f}", point.loss),
                              fmt::format("{:.4f}", point.smoothed)});
    }
    return html_page(
        "Learning rate", subtitle,
        html_section("Loss over the learning rate", note, chart + "</svg>") +
            html_section("Steps", "", "<details><summary>All steps</summary>" + to_html(table) + "</details>"));
}

}  // namespace radial::train
