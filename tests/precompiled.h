// What most tests include, compiled once. A test still names all that it uses itself.
#pragma once

#include "catch.h"
#include "expect.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>
