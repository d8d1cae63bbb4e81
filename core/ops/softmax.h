// Log-softmax and log-sum-exp.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// log(softmax(x)) over the last dimension of x [N, C].
Tensor log_softmax(const Tensor& x);
/// log(sum(exp(x))) over the last dimension, which is removed. The maximum is subtracted first, so exp does not
/// overflow. -inf where all elements are -inf; elements that are -inf get no gradient. float32 or float64.
Tensor log_sum_exp(const Tensor& x);

}  // namespace radial
