// Confusion among many classes: a picture of the matrix, and a table of its largest cells.
#include "radial/apps/common/charts.h"
#include "radial/apps/common/html_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <tuple>

namespace radial::apps {
namespace {

constexpr int levels = 8;

double share(std::int64_t count, std::int64_t total) {
    return total > 0 ? static_cast<double>(count) / static_cast<double>(total) : 0;
}

std::int64_t total_of(std::span<const std::int64_t> row) {
    return std::accumulate(row.begin(), row.end(), std::int64_t{0});
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

std::string confusion_map(std::span<const std::int64_t> confusion, const std::vector<std::string>& class_names) {
    const std::size_t classes = class_names.size();
    // One path for each level of each colour: a cell takes some twenty bytes.
    std::array<std::string, levels> right, wrong;
    const double margin = 36, cell = 640.0 / static_cast<double>(classes);
    for (std::size_t truth = 0; truth < classes; ++truth) {
        const auto row = confusion.subspan(truth * classes, classes);
        const std::int64_t total = total_of(row);
        for (std::size_t guess = 0; guess < classes; ++guess) {
            if (row[guess] == 0) continue;
            // The square root lets a few errors among many be seen.
            const double shade = truth == guess ? share(row[guess], total) : std::sqrt(share(row[guess], total));
            const auto level = std::min(static_cast<std::size_t>(shade * levels), std::size_t{levels - 1});
            (truth == guess ? right : wrong)[level] +=
                fmt::format("M{:.1f} {:.1f}h{:.1f}v{:.1f}h-{:.1f}z", margin + static_cast<double>(guess) * cell,
                            margin + static_cast<double>(truth) * cell, cell, cell, cell);
        }
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

std::string confused_pairs(std::span<const std::int64_t> confusion, const std::vector<std::string>& class_names,
                           std::size_t count) {
    const std::size_t classes = class_names.size();
    /// Count, share of the true class, and minus the place, so that of equals the first comes first.
    std::vector<std::tuple<std::int64_t, double, std::int64_t>> cells;
    for (std::size_t truth = 0; truth < classes; ++truth) {
        const auto row = confusion.subspan(truth * classes, classes);
        const std::int64_t total = total_of(row);
        for (std::size_t guess = 0; guess < classes; ++guess)
            if (guess != truth && row[guess] > 0)
                cells.emplace_back(row[guess], share(row[guess], total),
                                   -static_cast<std::int64_t>(truth * classes + guess));
    }
    const auto shown = static_cast<std::ptrdiff_t>(std::min(count, cells.size()));
    std::partial_sort(cells.begin(), cells.begin() + shown, cells.end(), std::greater<>());
    if (shown == 0) return "";
    std::string html =
        "<table class=\"pairs\"><thead><tr><th>true class</th><th>taken for</th><th>images</th><th>of the class</th>"
        "</tr></thead><tbody>\n";
    for (std::ptrdiff_t i = 0; i < shown; ++i) {
        const auto& [images, part, place] = cells[static_cast<std::size_t>(i)];
        const auto at = static_cast<std::size_t>(-place);
        html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.1f}%</td></tr>\n",
                            escape_html(class_names[at / classes]), escape_html(class_names[at % classes]), images,
                            100 * part);
    }
    return html + "</tbody></table>\n";
}

}  // namespace radial::apps
