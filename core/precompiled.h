// Precompiled header: the includes that most of the library's sources need. Each source still includes all that it
// uses.
#pragma once

#include "radial/core/ops.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>
