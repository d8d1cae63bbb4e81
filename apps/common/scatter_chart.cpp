// Features in the plane, with their classes' prototypes.
#include "radial/apps/common/chart_frame.h"
#include "radial/apps/common/charts.h"

#include <fmt/core.h>

#include <algorithm>

namespace radial::apps {
namespace {

// The frame's margins differ; this makes the area inside them a square.
constexpr double width = 646, height = 620;
constexpr std::size_t palette_size = 10;  // --c0 .. --c9 of the page's style

std::string colour(std::size_t index, std::size_t classes) {
    if (classes <= palette_size) return fmt::format("var(--c{})", index);
    return fmt::format("hsl({} 65% 52%)", index * 360 / classes);
}

/// A square that holds all points, so that distances look the same in every direction.
struct Bounds {
    double x = 0, y = 0, half = 1;
};

Bounds bounds_of(const Scatter& scatter) {
    double low[2] = {1e30, 1e30}, high[2] = {-1e30, -1e30};
    for (const auto values : {scatter.points, scatter.prototypes}) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            low[i % 2] = std::min<double>(low[i % 2], values[i]);
            high[i % 2] = std::max<double>(high[i % 2], values[i]);
        }
    }
    const double half = std::max({high[0] - low[0], high[1] - low[1], 1e-6}) / 2 * 1.05;
    return {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, half};
}

Axis axis_around(double middle, double half) {
    Axis axis{.low = middle - half, .high = middle + half, .ticks = {}, .label = [](double value) {
                  return fmt::format("{:.3g}", value);
              }};
    axis.ticks = round_ticks(axis.low, axis.high, 6);
    return axis;
}

/// One path a class: a zero-length line with round ends is a dot, and takes a dozen bytes.
std::string dots(const Scatter& scatter, const ChartFrame& frame) {
    const std::size_t classes = scatter.class_names.size();
    std::vector<std::string> paths(classes);
    for (std::size_t i = 0; i < scatter.labels.size(); ++i) {
        paths[static_cast<std::size_t>(scatter.labels[i])] +=
            fmt::format("M{:.1f} {:.1f}h0", frame.x(scatter.points[2 * i]), frame.y(scatter.points[2 * i + 1]));
    }
    std::string svg;
    for (std::size_t c = 0; c < classes; ++c) {
        if (paths[c].empty()) continue;
        svg += fmt::format("<path class=\"dots\" stroke=\"{}\" d=\"{}\"><title>{}</title></path>\n", colour(c, classes),
                           paths[c], escape_html(scatter.class_names[c]));
    }
    return svg;
}

std::string markers(const Scatter& scatter, const ChartFrame& frame) {
    const std::size_t classes = scatter.class_names.size();
    std::string svg;
    for (std::size_t c = 0; 2 * c + 1 < scatter.prototypes.size(); ++c) {
        const float x = scatter.prototypes[2 * c], y = scatter.prototypes[2 * c + 1];
        svg += fmt::format(
            "<g class=\"prototype\"><circle cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"9\" stroke=\"{2}\"/>"
            "<text x=\"{0:.1f}\" y=\"{3:.1f}\">{4}</text><title>prototype of {5} ({6:.3g}, {7:.3g})</title></g>\n",
            frame.x(x), frame.y(y), colour(c, classes), frame.y(y) + 4, c, escape_html(scatter.class_names[c]), x, y);
    }
    return svg;
}

}  // namespace

std::string scatter_chart(const Scatter& scatter) {
    const std::size_t classes = scatter.class_names.size();
    std::string legend = "<ul class=\"legend\">";
    for (std::size_t c = 0; c < classes; ++c) {
        const std::string number = fmt::format("{}", c), &name = scatter.class_names[c];
        legend += fmt::format("<li><i class=\"dot\" style=\"background:{}\"></i>{}</li>", colour(c, classes),
                              name == number ? number : number + " " + escape_html(name));
    }
    const Bounds bounds = bounds_of(scatter);
    const ChartFrame frame(width, height, axis_around(bounds.x, bounds.half), axis_around(bounds.y, bounds.half));
    return legend + "</ul>\n" + frame.open("Test features by class, with prototypes") + dots(scatter, frame) +
           markers(scatter, frame) + "</svg>\n";
}

}  // namespace radial::apps
