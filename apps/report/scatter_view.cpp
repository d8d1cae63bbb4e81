// The square around the features, and the prototypes' marks in it.
#include "radial/apps/report/scatter_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

constexpr double margin = 1.05;  // of the square, around what it holds
constexpr double inset = 0.94;   // where marks at the edge stand, so that they are seen whole
constexpr double reach = 1.5;    // prototypes up to here, in half widths of the features' square, widen it
constexpr double bunched = 0.1;  // extent of the prototypes, in that of the features, below which they are one heap

/// The smallest upright rectangle around points. Those that are not finite are left out.
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

/// How far (x, y) is from the view's centre, in half widths: above 1 it is outside.
double distance(const ScatterView& view, double x, double y) {
    const double d = std::max(std::abs(x - view.x), std::abs(y - view.y)) / view.half;
    return std::isfinite(d) ? d : HUGE_VAL;
}

/// The point where the ray from (x, y), within the view, leaves the part of it that marks may stand in.
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
    for (std::size_t c = 0; c < count; ++c) far.push_back(is_far(c));
    const auto far_count = static_cast<std::size_t>(std::count(far.begin(), far.end(), true));
    view.rays = 2 * far_count > count || (count > 1 && places.extent() < bunched * features.extent());
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

}  // namespace radial::train
