// Numbers out of JSON, which knows no whole ones (1e89 is one to it), and none that are not finite.
#pragma once

#include "radial/core/util/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <utility>

namespace radial::train {

/// object[key] as a whole number that T holds. Throws Error where it is anything else, nlohmann's exception where there
/// is none.
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

/// object[key] as a number, NaN for null: so JSON is written where a number is not finite. Throws nlohmann's exception
/// where it is anything else, or there is none.
template <class Json>
double real_number(const Json& object, const char* key) {
    const Json& value = object.at(key);
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.template get<double>();
}

}  // namespace radial::train
