// Rows and columns in Markdown and HTML.
#include "radial/apps/report/text_table.h"

#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <algorithm>

namespace radial::train {
namespace {

/// Columns that UTF-8 text takes: bytes that do not go on a character.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths, std::size_t numbers) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string space(widths[i] - width_of(cells[i]), ' ');
        text += "| " + (i < numbers ? cells[i] + space : space + cells[i]) + " ";
    }
    return text + "|\n";
}

std::string row(const std::vector<std::string>& cells, const char* element, std::size_t numbers) {
    std::string html = "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i)
        html += fmt::format("<{0}{1}>{2}</{0}>", element, i < numbers ? " class=\"text\"" : "", escape_html(cells[i]));
    return html + "</tr>\n";
}

}  // namespace

std::string to_markdown(const TextTable& table) {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < table.headers.size(); ++i) {
        std::size_t width = std::max<std::size_t>(3, width_of(table.headers[i]));
        for (const auto& cells : table.rows) width = std::max(width, width_of(cells[i]));
        widths.push_back(width);
    }
    std::string text = line(table.headers, widths, table.numbers_from);
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const bool number = i >= table.numbers_from;
        text += "| " + std::string(widths[i] - (number ? 1 : 0), '-') + (number ? ": " : " ");
    }
    text += "|\n";
    for (const auto& cells : table.rows) text += line(cells, widths, table.numbers_from);
    return text;
}

std::string to_html(const TextTable& table) {
    std::string html =
        "<table class=\"numbers\"><thead>" + row(table.headers, "th", table.numbers_from) + "</thead><tbody>\n";
    for (const auto& cells : table.rows) html += row(cells, "td", table.numbers_from);
    return html + "</tbody></table>\n";
}

}  // namespace radial::train
