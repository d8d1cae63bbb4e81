// The frame of every page that a program writes, self-contained HTML, legible in light and dark; and tables in it.
#pragma once

#include <string>
#include <vector>

namespace radial::train {

/// "99.31%", and "–" for NaN: targets that are not classes have no accuracy.
std::string percent(double fraction);
/// `text` with HTML's special characters replaced, and what shown_lines() replaces.
std::string escape_html(const std::string& text);

/// A card with a heading, a note (left out when empty) and `body`, which is HTML already.
std::string html_section(const std::string& name, const std::string& note, const std::string& body,
                         const std::string& css_class = "");

/// The whole page around `body`: no script, nothing fetched from anywhere.
std::string html_page(const std::string& title, const std::string& subtitle, const std::string& body);

/// Cells of plain text. The columns from `numbers_from` on are aligned to the right.
struct TextTable {
    std::vector<std::string> headers;
    std::vector<std::vector<std::string>> rows;  ///< each as long as `headers`
    std::size_t numbers_from = 1;
};

/// With columns that line up as plain text too; ends in a newline.
std::string to_markdown(const TextTable& table);
std::string to_html(const TextTable& table);

}  // namespace radial::train
