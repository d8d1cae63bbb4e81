// Writing a whole file so that a reader sees the old content or the new, never a part.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace radial {

/// Replaces `path` by the concatenation of `parts`: writes to a temporary name beside it, syncs, renames.
/// Throws FileError naming `path` and the reason, which may be that it is a device or a pipe; then `path` is as it was
/// and nothing else is left behind.
void write_file(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts);
/// The same for text.
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace radial
