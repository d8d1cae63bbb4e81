// Text for terminals, shells and JSON: made fit for them where users and files bring it along, suggested where a word
// was mistyped, and printed on streams that may be closed, full, or read by nobody.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace radial::train {

/// `text` as one line for a terminal, a log or a page: control characters (those of terminals among them), marks that
/// turn the direction of writing, and bytes that are not UTF-8 become \n, \t, \x1b or \u202e.
std::string shown(std::string_view text);
/// The same for text of several lines, whose line ends and tabs stay.
std::string shown_lines(std::string_view text);

/// `path` as one word of a command line for bash, zsh and other shells that know $'\344'; unchanged if it needs no
/// quotes. A path that begins with a dash gets "./" in front.
std::string shell_word(const std::filesystem::path& path);

/// `text` as a JSON string where it is UTF-8. Any other bytes, as a path may hold, are taken for Latin-1, so that each
/// comes back as it was: {"latin1": "B\u00e4r"}.
nlohmann::ordered_json text_to_json(const std::string& text);
/// Whether `value` is what text_to_json() makes of text that is not UTF-8.
bool is_latin1_text(const nlohmann::ordered_json& value);
/// The inverse of text_to_json(); values of other types as JSON.
std::string text_from_json(const nlohmann::ordered_json& value);

/// "; did you mean NAME?" with the nearest of `choices`, or "" when more than half of the word would have to change.
std::string suggestion(std::string_view word, const std::vector<std::string>& choices);

/// Replaces closed standard streams by /dev/null, so that no file opened later gets one of their descriptors and
/// receives what is printed there. /dev/null is opened for reading, so printing still fails. Call this before anything
/// is opened.
void open_standard_streams();

/// Prints `text`, escaped by shown_lines(), to standard error as far as possible. Throws nothing.
void print_error(std::string_view text);

/// Prints to standard output and flushes it, and throws nothing: output_error() tells. For what goes on when nobody
/// reads it.
void print_on(std::string_view text);

/// Flushes standard output, and says why something that was printed has not arrived, if so.
std::error_code output_error();
/// Throws that as a std::system_error.
void check_output();

}  // namespace radial::train
