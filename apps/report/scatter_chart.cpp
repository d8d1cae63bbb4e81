// Scatter charts: 2-D features, the square around them, and marks for the prototypes of their classes.
#include "radial/apps/report/charts.h"

#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

constexpr double margin = 1.05;  // size of the square relative to its content
constexpr double inset = 0.94;   // position of marks at the edge, in half widths, so that they are not cut off
constexpr double reach = 1.5;    // prototypes up to this distance, in half widths of the features' square, widen it
constexpr double bunched = 0.1;  // prototypes whose extent is below this fraction of the features' are shown as rays

/// The smallest axis-aligned rectangle around points. Points that are not finite are left out.
struct Box {
    double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};

    void add(double x, double y) {
        if (!std::isfinite(x) || !std::isfinite(y)) return;
        low[0] = std::min(low[0], x), high[0] = std::max(high[0], x);
        low[1] = std::min(low[1], y), high[1] = std::max(high[1], y);
    }
    void add(std::span<const float> points) {
        for (std::size_t i = 0; i + 1 < points.size(); i += 2) add(points[i], points[i + 1]);
    }
    bool empty() const { return low[0] > high[0]; }
    double extent() const { return empty() ? 0 : std::max(high[0] - low[0], high[1] - low[1]); }
};

void frame(ScatterView& view, const Box& box) {
    if (box.empty()) return;
    view.x = (box.low[0] + box.high[0]) / 2;
    view.y = (box.low[1] + box.high[1]) / 2;
    view.half = std::max(box.extent() / 2 * margin, 1e-6);
}

/// The distance of (x, y) from the centre of the view, in half widths (maximum norm); above 1, the point is outside.
double distance(const ScatterView& view, double x, double y) {
    const double d = std::max(std::abs(x - view.x), std::abs(y - view.y)) / view.half;
    return std::isfinite(d) ? d : HUGE_VAL;
}

/// The point where the ray from (x, y) in the direction (dx, dy) leaves the area in which marks may be drawn. (x, y)
/// must be within the view.
PrototypeMark at_edge(const ScatterView& view, double x, double y, double dx, double dy) {
    const double length = std::hypot(dx, dy);
    if (!(length > 0) || !std::isfinite(length)) return {x, y, false};
    const double low = -inset * view.half, high = inset * view.half;
    double t = HUGE_VAL;
    const auto limit = [&](double from, double slope) {
        if (slope != 0) t = std::min(t, std::max(0.0, ((slope > 0 ? high : low) - from) / slope));
    };
    limit(x - view.x, dx / length);
    limit(y - view.y, dy / length);
    return {x + t * dx / length, y + t * dy / length, false};
}

// The frame's margins differ. These sizes make the area inside them a square.
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

/// One path per class. A zero-length line with round ends is a dot, and takes only a dozen bytes.
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

ScatterView view_of(const Scatter& scatter) {
    const auto& prototypes = scatter.prototypes;
    const std::size_t count = prototypes.size() / 2;
    ScatterView view;
    Box features, places;
    features.add(scatter.points);
    places.add(prototypes);
    frame(view, features.empty() ? places : features);
    const auto is_far = [&](std::size_t c) { return distance(view, prototypes[2 * c], prototypes[2 * c + 1]) > reach; };
    std::vector<bool> far;
    for (std::size_t c = 0; c < count; ++c) far.push_back(!scatter.keep_places && is_far(c));
    const auto far_count = static_cast<std::size_t>(std::count(far.begin(), far.end(), true));
    view.rays =
        !scatter.keep_places && (2 * far_count > count || (count > 1 && places.extent() < bunched * features.extent()));
    Box shown = features;
    if (view.rays) shown.add(0, 0);
    for (std::size_t c = 0; c < count; ++c)
        if (!view.rays && !far[c]) shown.add(prototypes[2 * c], prototypes[2 * c + 1]);
    frame(view, shown);
    for (std::size_t c = 0; c < count; ++c) {
        const double x = prototypes[2 * c], y = prototypes[2 * c + 1];
        if (view.rays)
            view.marks.push_back(at_edge(view, 0, 0, x, y));
        else if (far[c])
            view.marks.push_back(at_edge(view, view.x, view.y, x - view.x, y - view.y));
        else
            view.marks.push_back({x, y, true});
    }
    return view;
}

std::string describe(const ScatterView& view, const Scatter& scatter) {
    if (view.marks.empty()) return "The loss has no prototypes.";
    const auto longest = [](std::span<const float> points) {
        double most = 0;
        for (std::size_t i = 0; i + 1 < points.size(); i += 2)
            most = std::max<double>(most, std::hypot(points[i], points[i + 1]));
        return most;
    };
    if (view.rays) {
        return fmt::format(
            "Numbered rays are the prototypes' directions from the origin. Their lengths, up to {:.3g}, would not show "
            "beside the features', up to {:.3g}.",
            longest(scatter.prototypes), longest(scatter.points));
    }
    std::string outside;
    for (std::size_t c = 0; c < view.marks.size(); ++c)
        if (!view.marks[c].at_place)
            outside += fmt::format("{}{}", outside.empty() ? "" : ", ", class_of_prototype(scatter, c));
    std::string text = "Numbered circles are the prototypes.";
    if (!outside.empty())
        text += fmt::format(" Dashed ones at the edge lie further out, in that direction: {}.", outside);
    return text;
}

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
