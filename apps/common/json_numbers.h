// Whole numbers out of JSON, which knows no such type: 1e89 is one to it.
#pragma once

#include "radial/core/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <utility>

namespace radial::apps {

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

}  // namespace radial::apps
