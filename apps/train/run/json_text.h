// Parses JSON from untrusted sources.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace radial::train {

/// Size of the longest JSON file that is read, in bytes. A run's config.json contains the names of its classes, of
/// which there may be a hundred thousand.
inline constexpr std::size_t most_json_bytes = std::size_t{16} << 20U;

/// Parses a document whose objects have at most 10,000 names in total and are nested at most 16 levels deep. These
/// limits suffice for everything that the programs read, and keep the linear search of ordered_json fast. Throws Error,
/// which says what is wrong, for other documents.
nlohmann::ordered_json parse_json(std::string_view text);

/// Applies parse_json() to a file of up to most_json_bytes. Returns a discarded value if the file does not exist or its
/// content is not accepted.
nlohmann::ordered_json read_json(const std::filesystem::path& path);

}  // namespace radial::train
