// How much each class counts when some have more samples than others.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace radial::train {

/// One number a class, inversely proportional to how often it stands in `labels` (int64 [N], on the CPU, in
/// [0, classes)), with mean 1 over the classes that are there at all; 0 for the others.
std::vector<double> balanced_weights(const Tensor& labels, std::int64_t classes);

}  // namespace radial::train
