// Sums, means, maxima and counts.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <vector>

namespace radial {

/// Sum over `dims` (all when empty; negative counts from the back); kept as extent 1 when `keep_dims`.
Tensor sum(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// Mean over `dims`, as sum().
Tensor mean(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// Largest element along `dim`; the gradient goes to the first of equals. Removes the dimension.
Tensor max(const Tensor& x, int dim);
/// The middle one of the elements of x [N], N > 0, by size; of an even number the smaller middle one. NaN where there
/// is one. [1]. Not differentiable.
Tensor median(const Tensor& x);
/// Index (int64) of the first largest element along the last dimension of [N, C]: [N]. Not differentiable.
Tensor argmax(const Tensor& x);
/// How many elements of `a` equal their neighbours in `b`, both int64 of one shape on one device: a float64 scalar
/// there. Throws Error when they are anything else.
Tensor count_equal(const Tensor& a, const Tensor& b);

}  // namespace radial
