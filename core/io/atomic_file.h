// Writes a whole file atomically: a reader sees the old content or the new, never a part.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace radial {

/// Replaces the content of `path` by the concatenation of `parts`: writes a temporary file beside it, syncs and renames
/// it. Throws FileError naming `path` and the reason, for example that it is a device or a pipe; `path` is then
/// unchanged and no other file is left behind.
void write_file(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts);
/// Replaces the content of `path` by `text`. Throws as above.
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace radial
