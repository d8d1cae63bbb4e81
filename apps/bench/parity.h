// `radial-bench parity`: whether a device trains as the CPU does.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::bench {

train::Command parity_command();

}  // namespace radial::bench
