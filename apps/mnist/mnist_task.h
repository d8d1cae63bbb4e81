// MNIST as the programs read, train on and measure it.
#pragma once

#include "radial/apps/cli/image_task.h"

namespace radial::train {

/// LeNets++ on MNIST, or on any set in MNIST's four IDX files.
ImageTask mnist_task();

}  // namespace radial::train
