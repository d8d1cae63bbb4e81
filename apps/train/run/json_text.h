// Parses JSON from untrusted sources, and reads numbers from it. JSON has no separate type for integers (1e89 is a
// number too) and no numbers that are not finite.
#pragma once

#include "radial/core/util/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string_view>
#include <utility>

namespace radial::train {

/// Size of the longest JSON file that is read, in bytes. A run's config.json contains the names of its classes, of
/// which there may be a hundred thousand.
inline constexpr std::size_t most_json_bytes = std::size_t{16} << 20U;

/// Parses a document whose objects have at most 10,000 names in total and whose objects and arrays are nested at most
/// 16 levels deep. These limits suffice for everything that the programs read, and keep the linear search of
/// ordered_json fast. Throws Error with the reason for any other document.
nlohmann::ordered_json parse_json(std::string_view text);

/// Applies parse_json() to the content of a file. Returns a discarded value if the file cannot be read, is longer than
/// most_json_bytes, or is rejected by parse_json().
nlohmann::ordered_json read_json(const std::filesystem::path& path);

/// object[key] as an integer of type T. Throws Error when the value is not an integer or does not fit into T, and
/// nlohmann's exception when the key is missing.
template <class T, class Json>
T whole_number(const Json& object, const char* key) {
    const Json& value = object.at(key);
    const bool held = value.is_number_unsigned()  ? std::in_range<T>(value.template get<std::uint64_t>())
                      : value.is_number_integer() ? std::in_range<T>(value.template get<std::int64_t>())
                                                  : false;
    RADIAL_CHECK(held, "\"{}\" is {}, expected a whole number from {} to {}", key, value.dump(),
                 std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    return value.template get<T>();
}

/// object[key] as a number. Null becomes NaN, because numbers that are not finite are written as null. Throws
/// nlohmann's exception when the value has another type or the key is missing.
template <class Json>
double real_number(const Json& object, const char* key) {
    const Json& value = object.at(key);
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.template get<double>();
}

}  // namespace radial::train
