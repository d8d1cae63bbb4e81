// The frame of every page that a program writes: self-contained HTML, legible in light and dark.
#pragma once

#include <string>

namespace radial::train {

/// `text` with HTML's special characters replaced, and what shown_lines() replaces.
std::string escape_html(const std::string& text);

/// A card with a heading, a note (left out when empty) and `body`, which is HTML already.
std::string html_section(const std::string& name, const std::string& note, const std::string& body,
                         const std::string& css_class = "");

/// The whole page around `body`: no script, nothing fetched from anywhere.
std::string html_page(const std::string& title, const std::string& subtitle, const std::string& body);

}  // namespace radial::train
