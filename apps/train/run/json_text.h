// Parsing of JSON that may be anybody's.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace radial::train {

/// Bytes of the longest JSON file that is read: a run's config.json names its classes, which may be a hundred thousand.
inline constexpr std::size_t most_json_bytes = std::size_t{16} << 20U;

/// Parses a document whose objects have at most 10,000 names together, nested at most 16 deep: enough for all that the
/// programs read, and so little that looking names up one after another, as ordered_json does, takes no time. Throws
/// Error that says what is wrong.
nlohmann::ordered_json parse_json(std::string_view text);

/// What parse_json() makes of a file of up to most_json_bytes; discarded where there is no such file, or something else
/// in it.
nlohmann::ordered_json read_json(const std::filesystem::path& path);

}  // namespace radial::train
