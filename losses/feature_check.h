// What losses ask of their inputs, so that the error names the loss.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <string_view>

namespace radial {

/// Throws Error unless `feature` is [N, D] with the D of `prototypes` [classes, D]:
/// "RbfSoftmax: feature has dimension 10, prototypes have 32".
void check_feature(std::string_view loss, const Tensor& feature, const Tensor& prototypes);

/// Throws Error unless `labels` is int64 [N], one a row of `feature`. The values are checked by the op.
void check_labels(std::string_view loss, const Tensor& labels, const Tensor& feature);

}  // namespace radial
