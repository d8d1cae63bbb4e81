// What nearly every source of the programs includes, compiled once.
#pragma once

#include <fmt/format.h>
#include <nlohmann/json.hpp>
