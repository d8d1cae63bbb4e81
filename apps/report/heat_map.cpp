// Draws matrices of numbers between classes as pictures, with a scale of their colours.
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/events/tensorboard.h"
#include "radial/core/tensor/tensor.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace radial::train {
namespace {

using Colour = std::array<double, 3>;

/// Matplotlib's viridis (Smith and van der Walt 2015) at nine places: its lightness grows evenly.
constexpr std::array<Colour, 9> ramp = {{{68, 1, 84},
                                         {71, 45, 123},
                                         {59, 82, 139},
                                         {44, 114, 142},
                                         {33, 145, 140},
                                         {40, 174, 128},
                                         {94, 201, 98},
                                         {173, 220, 48},
                                         {253, 231, 37}}};
constexpr Colour missing = {128, 128, 128};

/// The colour at position `part` of the ramp, from 0 to 1; grey if `part` is not finite.
Colour colour_at(double part) {
    if (!std::isfinite(part)) return missing;
    const double place = std::clamp(part, 0.0, 1.0) * static_cast<double>(ramp.size() - 1);
    const std::size_t left = std::min(static_cast<std::size_t>(place), ramp.size() - 2);
    const double weight = place - static_cast<double>(left);
    Colour colour;
    for (std::size_t i = 0; i < 3; ++i) colour[i] = (1 - weight) * ramp[left][i] + weight * ramp[left + 1][i];
    return colour;
}

/// The position of `value` on the ramp.
double part_of(const HeatMap& map, double value) {
    if (!std::isfinite(value)) return value;
    return map.high > map.low ? (value - map.low) / (map.high - map.low) : 1;
}

/// The cells as a picture, one pixel each.
std::string picture(const HeatMap& map) {
    const auto classes = static_cast<std::int64_t>(map.classes);
    Tensor planes = Tensor::empty({3, classes, classes}, DType::uint8, Device{});
    const std::span<std::uint8_t> pixels = planes.values<std::uint8_t>();
    const std::size_t area = map.classes * map.classes;
    for (std::size_t i = 0; i < area; ++i) {
        const Colour colour = colour_at(part_of(map, map.values[i]));
        for (std::size_t plane = 0; plane < 3; ++plane)
            pixels[plane * area + i] = static_cast<std::uint8_t>(std::lround(colour[plane]));
    }
    return data_uri(png_of(planes, classes).file);
}

constexpr double side = 640, margin = 48;

/// A number beside the vertical axis and, if `below` is set, the same number below the horizontal axis. Callers do not
/// set `below` for numbers that would touch their neighbours on a narrow page.
std::string tick(double at, std::string_view label, bool below) {
    std::string svg =
        fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\" dy=\"0.35em\">{}</text>\n",
                    margin - 8, margin / 4 + at, label);
    if (below)
        svg += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                           margin + at, margin / 4 + side + 26, label);
    return svg;
}

/// The numbers of the groups and lines between them, or the numbers of some classes.
std::string axes(const HeatMap& map) {
    const double cell = side / static_cast<double>(map.classes);
    std::string svg;
    if (map.groups.empty()) {
        for (const double number : round_ticks(0, static_cast<double>(map.classes) - 0.5, 5))
            svg += tick((number + 0.5) * cell, fmt::format("{:.0f}", number), true);
        return svg;
    }
    double begin = 0;
    for (std::size_t group = 0; group < map.groups.size(); ++group) {
        const double end = begin + static_cast<double>(map.groups[group]) * cell;
        const bool roomy = end - begin >= 30;
        if (roomy || group % 2 == 0) svg += tick((begin + end) / 2, fmt::format("{}", group + 1), group % 2 == 0);
        if (group > 0) {
            svg += fmt::format("<path class=\"border\" d=\"M{0:.1f} {1:.1f}v{2:.0f}M{3:.1f} {4:.1f}h{2:.0f}\"/>\n",
                               margin + begin, margin / 4, side, margin, margin / 4 + begin);
        }
        begin = end;
    }
    return svg;
}

/// The bar that explains the colours.
std::string colour_bar(const HeatMap& map) {
    std::string stops;
    for (const Colour& colour : ramp)
        stops += fmt::format("{}rgb({:.0f} {:.0f} {:.0f})", stops.empty() ? "" : ",", colour[0], colour[1], colour[2]);
    return fmt::format(
        "<div class=\"ramp\"><span>{:.3g}</span><i style=\"background:linear-gradient(90deg,{})\"></i>"
        "<span>{:.3g}</span></div>\n",
        map.low, stops, map.high);
}

}  // namespace

std::string heat_map(const HeatMap& map) {
    std::string svg = fmt::format(
        "<svg class=\"map\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n"
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" href=\"{}\"/>\n",
        side + margin + margin / 4, side + margin, escape_html(map.description), margin, margin / 4, side, side,
        picture(map));
    return svg + axes(map) + "</svg>\n" + colour_bar(map);
}

}  // namespace radial::train
