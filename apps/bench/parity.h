// `radial-bench parity`: whether a device trains as the CPU does.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::bench {

apps::Command parity_command();

}  // namespace radial::bench
