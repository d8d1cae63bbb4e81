// The commands of radial-predict.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::predict {

/// Classifies images, or a tensor of images, with the weights in a file.
train::Command classify_command();
/// The command `embed`: writes the features of images to a file.
train::Command embed_command();
/// The command `nearest`: finds, for each query image, the images with the nearest features.
train::Command nearest_command();

/// The command `verify`: measures how well the distance of two features tells whether images are of the same class.
train::Command verify_command();

}  // namespace radial::predict
