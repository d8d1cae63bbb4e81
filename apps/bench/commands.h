// The commands of radial-bench.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::bench {

/// How long one training step takes.
train::Command step_command();
/// How long a loss over many classes takes, forward and backward, and what memory it asks for.
train::Command head_command();
/// Whether a device trains as the CPU does.
train::Command parity_command();
/// What a network computes from given weights and images, to be compared with another program's.
train::Command replay_command();
/// Times the way from JPEG files to batches by itself.
train::Command pipeline_command();
/// Times training steps on batches from a loader beside steps on one batch that is there already.
train::Command loader_command();
/// When the gradients of a training step travel, and what a step on several ranks costs.
train::Command ranks_command();

}  // namespace radial::bench
