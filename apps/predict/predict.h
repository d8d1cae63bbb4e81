// The command line of radial-predict.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::predict {

/// Classifies images or a tensor of images by the weights in a file.
train::Command predict_command();

}  // namespace radial::predict
