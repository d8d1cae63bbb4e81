// Softmax, its logarithm, and logarithms of sums of exponentials.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <vector>

namespace radial {

/// exp(x) / sum(exp(x)), where the sum is over `dim` (negative numbers count from the back). The maximum is subtracted
/// first, so exp does not overflow. As in PyTorch, elements are NaN where all elements along `dim` are -inf, or one is
/// +inf or NaN. Throws Error if x has no such dimension.
Tensor softmax(const Tensor& x, int dim);
/// log(softmax(x, dim)), without the rounding errors and the overflow of computing softmax() first. NaN where all
/// elements along `dim` are -inf, as in PyTorch.
Tensor log_softmax(const Tensor& x, int dim);
/// The same over the last dimension.
Tensor log_softmax(const Tensor& x);
/// log(sum(exp(x))) over the last dimension, which is removed. The maximum is subtracted first, so exp does not
/// overflow. -inf where all elements are -inf; elements that are -inf get no gradient.
Tensor log_sum_exp(const Tensor& x);
/// The same over `dims` (all if empty; negative numbers count from the back), which are removed, or kept with extent 1
/// if `keep_dims` is set. -inf if there is no element.
Tensor log_sum_exp(const Tensor& x, const std::vector<int>& dims, bool keep_dims = false);

}  // namespace radial
