// `radial-bench step`: how long one training step takes.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::bench {

train::Command step_command();

}  // namespace radial::bench
