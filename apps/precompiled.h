// Precompiled header: the includes that nearly every source file of the programs needs.
#pragma once

#include <fmt/format.h>
#include <nlohmann/json.hpp>
