// Features in the plane, with their classes' prototypes.
#include "radial/apps/report/chart_frame.h"
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/report/scatter_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

// The frame's margins differ; this makes the area inside them a square.
constexpr double width = 646, height = 620;
constexpr std::size_t palette_size = 10;  // --c0 .. --c9 of the page's style

std::string colour(std::size_t index, std::size_t classes) {
    if (classes <= palette_size) return fmt::format("var(--c{})", index);
    return fmt::format("hsl({} 65% 52%)", index * 360 / classes);
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
        const float x = scatter.points[2 * i], y = scatter.points[2 * i + 1];
        if (std::isfinite(x) && std::isfinite(y))
            paths[static_cast<std::size_t>(scatter.labels[i])] +=
                fmt::format("M{:.1f} {:.1f}h0", frame.x(x), frame.y(y));
    }
    std::string svg;
    for (std::size_t c = 0; c < classes; ++c) {
        if (paths[c].empty()) continue;
        svg += fmt::format("<path class=\"dots\" stroke=\"{}\" d=\"{}\"><title>{}</title></path>\n", colour(c, classes),
                           paths[c], escape_html(scatter.class_names[c]));
    }
    return svg;
}

std::string markers(const Scatter& scatter, const ScatterView& view, const ChartFrame& frame) {
    const std::size_t classes = scatter.class_names.size();
    std::string svg;
    for (std::size_t i = 0; i < view.marks.size() && view.rays; ++i) {
        svg +=
            fmt::format("<line class=\"ray\" stroke=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                        colour(class_of_prototype(scatter, i), classes), frame.x(0), frame.y(0),
                        frame.x(view.marks[i].x), frame.y(view.marks[i].y));
    }
    for (std::size_t i = 0; i < view.marks.size(); ++i) {
        const PrototypeMark& mark = view.marks[i];
        const std::size_t c = class_of_prototype(scatter, i);
        svg += fmt::format(
            "<g class=\"prototype{6}\"><circle cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"9\" stroke=\"{2}\"/>"
            "<text x=\"{0:.1f}\" y=\"{1:.1f}\">{3}</text><title>prototype of {4} {5}</title></g>\n",
            frame.x(mark.x), frame.y(mark.y), colour(c, classes), c, escape_html(scatter.class_names[c]),
            fmt::format("({:.3g}, {:.3g})", scatter.prototypes[2 * i], scatter.prototypes[2 * i + 1]),
            mark.at_place || view.rays ? "" : " far");
    }
    return svg;
}

}  // namespace

std::size_t class_of_prototype(const Scatter& scatter, std::size_t index) {
    const std::size_t each = std::max<std::size_t>(1, scatter.prototypes.size() / 2 / scatter.class_names.size());
    return std::min(index / each, scatter.class_names.size() - 1);
}

std::string scatter_legend(const std::vector<std::string>& class_names) {
    std::string legend = "<ul class=\"legend\">";
    for (std::size_t c = 0; c < class_names.size(); ++c) {
        const std::string number = fmt::format("{}", c), &name = class_names[c];
        legend += fmt::format("<li><i class=\"dot\" style=\"background:{}\"></i>{}</li>", colour(c, class_names.size()),
                              name == number ? number : number + " " + escape_html(name));
    }
    return legend + "</ul>\n";
}

std::string scatter_chart(const Scatter& scatter) {
    const ScatterView view = view_of(scatter);
    const ChartFrame frame(width, height, axis_around(view.x, view.half), axis_around(view.y, view.half));
    return frame.open("Test features by class, with prototypes") + dots(scatter, frame) +
           markers(scatter, view, frame) + "</svg>\n";
}

}  // namespace radial::train
