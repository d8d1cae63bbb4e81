// The version that programs print and files record.
#pragma once

#include <string_view>

namespace radial::apps {

inline constexpr std::string_view version = "0.1.0";

}  // namespace radial::apps
