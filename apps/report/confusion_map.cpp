// Confusion among many classes: a picture of the matrix, and a table of its largest cells.
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <tuple>

namespace radial::train {
namespace {

constexpr int levels = 8;

double share(std::int64_t count, std::int64_t total) {
    return total > 0 ? static_cast<double>(count) / static_cast<double>(total) : 0;
}

/// Marks at every tenth, twentieth ... class, on both sides of the picture.
std::string class_ticks(std::size_t classes, double cell, double margin) {
    std::string svg;
    const double side = static_cast<double>(classes) * cell;
    for (const double tick : round_ticks(0, static_cast<double>(classes - 1), 5)) {
        const double at = margin + (tick + 0.5) * cell;
        svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{:.0f}</text>)", margin - 6,
                           at + 4, tick);
        svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{:.0f}</text>)", at,
                           margin + side + 16, tick);
    }
    return svg;
}

}  // namespace

std::string confusion_map(const Confusion& confusion, const std::vector<std::string>& class_names) {
    const std::size_t classes = class_names.size();
    // One path for each level of each colour: a cell takes some twenty bytes.
    std::array<std::string, levels> right, wrong;
    const double margin = 36, cell = 640.0 / static_cast<double>(classes);
    for (const auto& [truth, guess, count] : confusion.cells()) {
        // The square root lets a few errors among many be seen.
        const double part = share(count, confusion.total(truth)), shade = truth == guess ? part : std::sqrt(part);
        const auto level = std::min(static_cast<std::size_t>(shade * levels), std::size_t{levels - 1});
        (truth == guess ? right : wrong)[level] +=
            fmt::format("M{:.1f} {:.1f}h{:.1f}v{:.1f}h-{:.1f}z", margin + static_cast<double>(guess) * cell,
                        margin + static_cast<double>(truth) * cell, cell, cell, cell);
    }
    const double size = 640 + 2 * margin;
    std::string svg = fmt::format(
        R"(<svg class="map" viewBox="0 0 {0} {0}" role="img" aria-label="Confusion matrix of {1} classes">)", size,
        classes);
    svg += fmt::format(R"(<rect class="frame" x="{0}" y="{0}" width="640" height="640"/>)", margin);
    for (std::size_t level = 0; level < levels; ++level) {
        const double alpha = (static_cast<double>(level) + 1) / levels;
        for (const auto& [paths, colour] : {std::pair(&right, "right"), std::pair(&wrong, "wrong")})
            if (!(*paths)[level].empty())
                svg +=
                    fmt::format("<path d=\"{}\" fill=\"rgb(var(--{}) / {:.2f})\"/>\n", (*paths)[level], colour, alpha);
    }
    svg += class_ticks(classes, cell, margin);
    svg += fmt::format(R"(<text class="tick" x="{:.0f}" y="{}" text-anchor="middle">predicted class</text>)", size / 2,
                       24);
    svg += fmt::format(R"svg(<text class="tick" transform="translate({} {:.0f}) rotate(90)" text-anchor="middle">)svg"
                       "true class</text>",
                       size - 24, size / 2);
    return svg + "</svg>\n";
}

std::string confused_pairs(const Confusion& confusion, const std::vector<std::string>& class_names, std::size_t count) {
    /// Count, share of the true class, and minus the place, so that of equals the first comes first.
    std::vector<std::tuple<std::int64_t, double, std::int64_t, std::int64_t>> cells;
    for (const auto& [truth, guess, images] : confusion.cells())
        if (guess != truth) cells.emplace_back(images, share(images, confusion.total(truth)), -truth, -guess);
    const auto shown = static_cast<std::ptrdiff_t>(std::min(count, cells.size()));
    std::partial_sort(cells.begin(), cells.begin() + shown, cells.end(), std::greater<>());
    if (shown == 0) return "";
    std::string html =
        "<table class=\"pairs\"><thead><tr><th>true class</th><th>taken for</th><th>images</th><th>of the class</th>"
        "</tr></thead><tbody>\n";
    for (std::ptrdiff_t i = 0; i < shown; ++i) {
        const auto& [images, part, truth, guess] = cells[static_cast<std::size_t>(i)];
        html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.1f}%</td></tr>\n",
                            escape_html(class_names[static_cast<std::size_t>(-truth)]),
                            escape_html(class_names[static_cast<std::size_t>(-guess)]), images, 100 * part);
    }
    return html + "</tbody></table>\n";
}

}  // namespace radial::train
