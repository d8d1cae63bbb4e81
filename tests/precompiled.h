// Headers that most tests include, compiled once. Each test still includes all headers that it uses.
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
