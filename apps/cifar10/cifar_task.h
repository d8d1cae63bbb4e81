// CIFAR as the programs read, train on and measure it.
#pragma once

#include "radial/apps/cli/image_task.h"

namespace radial::train {

/// ResNet-20 on CIFAR-10. RBF-Softmax has Table 5's best scale and gamma.
ImageTask cifar10_task();
/// ResNet-20 on CIFAR-100's 100 fine classes. RBF-Softmax has Table 6's best scale and gamma, and
/// reach 4: without it the kernel dies within some hundred steps, at lr 0.1 as at 0.3 (docs/training-rbf-softmax.md).
ImageTask cifar100_task();

}  // namespace radial::train
