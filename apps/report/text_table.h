// A table that is written as Markdown and as HTML.
#pragma once

#include <string>
#include <vector>

namespace radial::train {

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
