// The confusion matrix as an HTML table whose cells are shaded by their share of the row.
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

std::string cell(std::int64_t count, std::int64_t row_total, bool diagonal, const std::string& note) {
    if (count == 0) return fmt::format("<td class=\"none\" title=\"{}\">0</td>", note);
    // The square root lets a few errors among many be seen.
    const double share = std::sqrt(static_cast<double>(count) / static_cast<double>(row_total));
    const double alpha = diagonal ? 0.6 * share * share : 0.15 + 0.85 * share;
    return fmt::format("<td style=\"background:rgb(var(--{}) / {:.2f})\" title=\"{}\">{}</td>",
                       diagonal ? "right" : "wrong", alpha, note, count);
}

}  // namespace

std::string confusion_table(const Confusion& confusion, const std::vector<std::string>& class_names) {
    const std::size_t classes = class_names.size();
    // A name that is wider than a column of counts stands upright.
    const bool upright =
        std::any_of(class_names.begin(), class_names.end(), [](const auto& n) { return n.size() > 6; });
    std::string html = fmt::format("<table class=\"confusion{}\"><thead><tr><th></th>", upright ? " upright" : "");
    for (const std::string& name : class_names) html += "<th>" + escape_html(name) + "</th>";
    html += "<th>found</th></tr></thead><tbody>\n";
    for (std::size_t truth = 0; truth < classes; ++truth) {
        const auto row = static_cast<std::int64_t>(truth), total = confusion.total(row);
        html += "<tr><th>" + escape_html(class_names[truth]) + "</th>";
        for (std::size_t guess = 0; guess < classes; ++guess) {
            const std::int64_t count = confusion.count(row, static_cast<std::int64_t>(guess));
            const std::string note =
                fmt::format("{} of {} images of {} taken for {}", count, total, class_names[truth], class_names[guess]);
            html += cell(count, total, truth == guess, escape_html(note));
        }
        const double found =
            total > 0 ? static_cast<double>(confusion.count(row, row)) / static_cast<double>(total) : 0;
        html += fmt::format("<td class=\"share\">{:.1f}%</td></tr>\n", 100 * found);
    }
    return html + "</tbody></table>\n";
}

}  // namespace radial::train
