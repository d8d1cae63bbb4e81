// Numbers from JSON, which has no separate type for integers (1e89 is a number too) and no numbers that are not finite.
#pragma once

#include "radial/core/util/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <utility>

namespace radial::train {

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
