// How much of each class was found, as bars.
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace radial::train {
namespace {

constexpr std::size_t most_bars = 40, each_end = 20;

struct ClassShare {
    std::string name;
    std::int64_t found = 0, total = 0;

    double share() const { return total > 0 ? static_cast<double>(found) / static_cast<double>(total) : 0; }
};

std::string bars(std::span<const ClassShare> classes) {
    std::size_t longest = 2;
    for (const ClassShare& one : classes) longest = std::max(longest, one.name.size());
    std::string html =
        fmt::format("<ul class=\"bars\" style=\"--name: {}ch\">\n", std::min<std::size_t>(longest + 1, 22));
    for (const ClassShare& one : classes) {
        const std::string percent = one.total > 0 ? fmt::format("{:.1f}%", 100 * one.share()) : "–";
        html += fmt::format(
            "<li title=\"{} of {} images\"><span>{}</span><i><u style=\"width:{:.1f}%\"></u></i><b>{}</b></li>\n",
            one.found, one.total, escape_html(one.name), 100 * one.share(), percent);
    }
    return html + "</ul>\n";
}

/// How many classes lie in each tenth of the accuracy, as bars.
std::string tenths(std::span<const ClassShare> classes) {
    std::array<std::int64_t, 10> counts{};
    for (const ClassShare& one : classes)
        ++counts[std::min<std::size_t>(9, static_cast<std::size_t>(10 * one.share()))];
    const std::int64_t most = *std::max_element(counts.begin(), counts.end());
    std::string html = "<ul class=\"bars\">\n";
    for (std::size_t i = 0; i < counts.size(); ++i) {
        html += fmt::format("<li><span>{} to {}%</span><i><u style=\"width:{:.1f}%\"></u></i><b>{}</b></li>\n", 10 * i,
                            10 * (i + 1), 100 * static_cast<double>(counts[i]) / static_cast<double>(most), counts[i]);
    }
    return html + "</ul>\n";
}

}  // namespace

std::string class_accuracy(const Confusion& confusion, const std::vector<std::string>& class_names) {
    const std::size_t count = class_names.size();
    std::vector<ClassShare> classes;
    for (std::size_t c = 0; c < count; ++c) {
        const auto row = static_cast<std::int64_t>(c);
        classes.push_back({class_names[c], confusion.count(row, row), confusion.total(row)});
    }
    const std::vector<ClassShare> in_order = classes;
    // A class without samples has no share: it stands at the end.
    std::stable_sort(classes.begin(), classes.end(), [](const ClassShare& a, const ClassShare& b) {
        return (a.total == 0) != (b.total == 0) ? a.total > 0 : a.share() < b.share();
    });
    if (count <= most_bars) return bars(classes);
    const auto with_samples =
        std::find_if(classes.begin(), classes.end(), [](const auto& one) { return one.total == 0; });
    const std::span<const ClassShare> sorted(classes.begin(), with_samples);
    if (sorted.size() <= most_bars) return bars(sorted);
    std::string html = "<div class=\"columns\">\n<div><h3>Lowest</h3>\n" + bars(sorted.first(each_end));
    html += "</div>\n<div><h3>Highest</h3>\n" + bars(sorted.last(each_end));
    html += "</div>\n<div><h3>Classes by accuracy</h3>\n" + tenths(sorted) + "</div>\n</div>\n";
    return html + fmt::format("<details><summary>All {} classes</summary>\n<div class=\"many\">\n", count) +
           bars(in_order) + "</div></details>\n";
}

}  // namespace radial::train
