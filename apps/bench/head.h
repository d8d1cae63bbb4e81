// `radial-bench head`: how long a loss over many classes takes, forward and backward, and what memory it asks for.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::bench {

train::Command head_command();

}  // namespace radial::bench
