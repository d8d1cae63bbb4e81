// The version that programs print and write to files.
#pragma once

#include <string_view>

namespace radial::train {

inline constexpr std::string_view version = RADIAL_VERSION;  // from CMakeLists.txt

}  // namespace radial::train
