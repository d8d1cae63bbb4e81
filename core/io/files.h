// Reads whole files, and rejects anything that is not a regular file: a pipe or a device may block or never end. Writes
// whole files atomically: a reader sees the old content or the new, never a part.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace radial {

/// Throws FileError naming `path` unless it is a regular file or a link to one. Call it before opening a file, because
/// opening a pipe waits for its writer.
void check_regular_file(const std::filesystem::path& path);

/// The whole content of a file. Throws FileError naming `path` when it is missing, not a regular file, longer than
/// `most` bytes, or cannot be read.
std::string read_file(const std::filesystem::path& path, std::size_t most);

/// Replaces the content of `path` by the concatenation of `parts`: writes a temporary file beside it, syncs and renames
/// it. Throws FileError naming `path` and the reason, for example that it is a device or a pipe; `path` is then
/// unchanged and no other file is left behind.
void write_file(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts);
/// Replaces the content of `path` by `text`. Throws as above.
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace radial
