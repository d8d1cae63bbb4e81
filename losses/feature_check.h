// Checks of a loss's inputs, so that the error names the loss.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <string_view>

namespace radial {

/// Throws Error unless `feature` is [N, D] with the same D as `prototypes` [classes, D]: "RbfSoftmax: feature has
/// dimension 10, prototypes have 32".
void check_feature(std::string_view loss, const Tensor& feature, const Tensor& prototypes);

/// Throws Error unless `labels` is int64 [N] with one label per row of `feature`. The op checks their values.
void check_labels(std::string_view loss, const Tensor& labels, const Tensor& feature);

}  // namespace radial
