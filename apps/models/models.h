// The command line of radial-models.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::zoo {

/// Lists the networks, shows one's layers, or converts a file of weights.
train::Command models_command();

}  // namespace radial::zoo
