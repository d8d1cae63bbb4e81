// `radial-bench pipeline` and `radial-bench loader`: how fast pictures become batches, and what that costs training.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::bench {

/// Times the way from JPEG files to batches by itself.
train::Command pipeline_command();
/// Times training steps on batches from a loader beside steps on one batch that is there already.
train::Command loader_command();

}  // namespace radial::bench
