// Text for terminals, shells, CSV tables and JSON: escapes text from users and files, suggests names for mistyped
// words, and prints to streams that may be closed, full, or read by nobody.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace radial::train {

/// Returns `text` as one line for a terminal, a log or a page. Control characters (including those of terminals), marks
/// that change the direction of writing, and bytes that are not UTF-8 are replaced by escapes such as `\n`, `\t`,
/// `\x1b` or `\u202e`.
std::string shown(std::string_view text);
/// The same for text of several lines: line ends and tabs are kept.
std::string shown_lines(std::string_view text);

/// Returns `path` as one word of a command line for bash, zsh and other shells that support $'\344'; unchanged if it
/// needs no quotes. A path that begins with a dash is prefixed with "./".
std::string shell_word(const std::filesystem::path& path);

/// A name as a field of a CSV table (RFC 4180). A spreadsheet program would interpret a name that begins with =, +, -,
/// @, a tab or a carriage return as a formula, so such a name is prefixed with an apostrophe, which marks text. Control
/// characters are escaped as by shown(). The field is quoted if necessary.
std::string csv_name(const std::string& name);

/// The path of a file as a field of a CSV table, quoted if necessary. A path that a spreadsheet program would interpret
/// as a formula is prefixed with "./" ("=a.png" becomes "./=a.png"), so that it names the same file. The bytes of the
/// path are unchanged, so that it can be opened, unless they include control characters other than tabs and line ends:
/// such a path is escaped as by shown().
std::string csv_path(const std::filesystem::path& file);

/// Returns `text` as a JSON string if it is UTF-8. Other text, such as a path may contain, is read as Latin-1, so that
/// text_from_json() restores every byte: {"latin1": "B\u00e4r"}.
nlohmann::ordered_json text_to_json(const std::string& text);
/// Whether `value` has the form that text_to_json() gives to text that is not UTF-8.
bool is_latin1_text(const nlohmann::ordered_json& value);
/// The inverse of text_to_json(). Any other value is returned as JSON text.
std::string text_from_json(const nlohmann::ordered_json& value);

/// "; did you mean NAME?" with the nearest of `choices`, or "" if more than half of the word would have to change.
std::string suggestion(std::string_view word, const std::vector<std::string>& choices);

/// Replaces closed standard streams by /dev/null, so that no file opened later gets one of their descriptors and
/// receives what is printed there. /dev/null is opened for reading, so printing still fails. Call this before anything
/// is opened.
void open_standard_streams();

/// Prints `text`, escaped by shown_lines(), to standard error. Ignores errors and does not throw.
void print_error(std::string_view text);

/// Prints to standard output and flushes it. Does not throw; output_error() returns the error. Intended for programs
/// that continue when nobody reads their output.
void print_on(std::string_view text);

/// Flushes standard output and returns the first error that prevented printed text from being written, if any.
std::error_code output_error();
/// Throws the error of output_error(), if there is one, as a std::system_error.
void check_output();

}  // namespace radial::train
