// Fields of CSV tables (RFC 4180) that are safe to open in a spreadsheet and to print on a terminal.
#pragma once

#include <filesystem>
#include <string>

namespace radial::train {

/// A name as a field. One that begins with =, +, -, @, a tab or a carriage return would be a formula to a spreadsheet,
/// so an apostrophe, which marks text, is put before it. Control characters are escaped as by shown(). Quoted if
/// necessary.
std::string csv_name(const std::string& name);

/// The path of a file as a field, quoted if necessary. A path that a spreadsheet would take for a formula gets the
/// prefix
/// "./" ("=a.png" becomes "./=a.png"), which names the same file. Other bytes are unchanged, so that the path can be
/// opened, unless the path contains terminal control characters: then it is escaped as by shown().
std::string csv_path(const std::filesystem::path& file);

}  // namespace radial::train
