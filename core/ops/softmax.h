// The logarithms of softmax and of sums of exponentials.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// log(softmax(x)) over the last dimension of [N, C].
Tensor log_softmax(const Tensor& x);
/// log(sum(exp(x))) over the last dimension, which it removes; the maximum is subtracted first. -inf where all elements
/// are, and no gradient flows to one that is. float32 or float64.
Tensor log_sum_exp(const Tensor& x);

}  // namespace radial
