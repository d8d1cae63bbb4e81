// ImageNet as the programs read, train on and measure it.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/image_task.h"

namespace radial::train {

/// ResNet-50 by the paper's Table 7: RBF-Softmax with scale 8 and gamma 4, SGD with momentum 0.9, 100 epochs of batches
/// of 256, the rate from 0.1 by a cosine after 5 epochs of warm-up; weight decay 5e-5 from the authors' code. Of
/// pictures sorted into classes it takes as many classes as there are. Residual blocks start as their shortcuts,
/// without which the kernel is dead from the first step (docs/training-rbf-softmax.md).
ImageTask imagenet_task();

/// `download`: says where ImageNet is to be had, which nobody may hand on, and how its folders are laid out.
Command imagenet_download_command();

}  // namespace radial::train
