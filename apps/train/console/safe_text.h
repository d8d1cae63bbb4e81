// Text that users and files bring along, made fit for terminals, shells and JSON.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace radial::train {

/// `text` as one line for a terminal, a log or a page: control characters (those of terminals among them), marks that
/// turn the direction of writing, and bytes that are not UTF-8 become \n, \t, \x1b or \u202e.
std::string shown(std::string_view text);
/// The same for text of several lines, whose line ends and tabs stay.
std::string shown_lines(std::string_view text);

/// `path` as one word of a command line for bash, zsh and other shells that know $'\344'; as it is where that needs no
/// quotes. One that begins with a dash is put behind "./".
std::string shell_word(const std::filesystem::path& path);

/// `text` as a JSON string where it is UTF-8. Any other bytes, as a path may hold, are taken for Latin-1, so that each
/// comes back as it was: {"latin1": "B\u00e4r"}.
nlohmann::ordered_json text_to_json(const std::string& text);
/// Whether `value` is what text_to_json() makes of text that is not UTF-8.
bool is_latin1_text(const nlohmann::ordered_json& value);
/// The inverse of text_to_json(); values of other types as JSON.
std::string text_from_json(const nlohmann::ordered_json& value);

}  // namespace radial::train
