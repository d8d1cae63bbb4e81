// The frame of every HTML page that a program writes (self-contained, for light and dark colour schemes), and its
// tables.
#pragma once

#include <string>
#include <vector>

namespace radial::train {

/// Text such as "99.31%", or "–" for NaN, which is the accuracy of targets that are not classes.
std::string percent(double fraction);
/// Escapes HTML's special characters in `text`, and those that shown_lines() escapes.
std::string escape_html(const std::string& text);

/// A section with a heading, a note (left out if it is empty) and `body`, which is already HTML.
std::string html_section(const std::string& name, const std::string& note, const std::string& body,
                         const std::string& css_class = "");

/// The whole page around `body`. It contains no scripts and loads nothing from elsewhere.
std::string html_page(const std::string& title, const std::string& subtitle, const std::string& body);

/// A table whose cells are plain text. Columns from `numbers_from` on are aligned to the right.
struct TextTable {
    std::vector<std::string> headers;
    std::vector<std::vector<std::string>> rows;  ///< each as long as `headers`
    std::size_t numbers_from = 1;
};

/// The table as Markdown, whose columns also line up as plain text. Ends with a newline.
std::string to_markdown(const TextTable& table);
std::string to_html(const TextTable& table);

}  // namespace radial::train
