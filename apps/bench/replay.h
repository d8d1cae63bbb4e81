// `radial-bench replay`: what a network computes from given weights and images, to be compared with another program's.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::bench {

train::Command replay_command();

}  // namespace radial::bench
