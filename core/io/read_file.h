// Reads whole files, and rejects anything that is not a regular file: a pipe or a device may block or never end.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace radial {

/// Throws FileError naming `path` unless it is a regular file or a link to one. Call it before opening a file, because
/// opening a pipe waits for its writer.
void check_regular_file(const std::filesystem::path& path);

/// The whole content of a file. Throws FileError naming `path` when it is missing, not a regular file, longer than
/// `most` bytes, or cannot be read.
std::string read_file(const std::filesystem::path& path, std::size_t most);

}  // namespace radial
