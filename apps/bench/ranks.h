// `radial-bench ranks`: when the gradients of a training step travel, and what a step on several ranks costs.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::bench {

train::Command ranks_command();

}  // namespace radial::bench
