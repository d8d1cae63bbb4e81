// Sums, means, maxima and counts.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <vector>

namespace radial {

/// The sum over `dims` (all if empty; negative numbers count from the back). The dimensions are removed, or kept with
/// extent 1 if `keep_dims` is set.
Tensor sum(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The mean over `dims`, with the arguments of sum().
Tensor mean(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The largest elements along `dim`, which is removed. The gradient goes to the first of equal elements.
Tensor max(const Tensor& x, int dim);
/// The median of x [N], N > 0; for an even number of elements the smaller of the two in the middle. NaN when any
/// element is NaN. The result is [1]. Not differentiable.
Tensor median(const Tensor& x);
/// The index (int64) of the first largest element in each row of x [N, C]: [N]. Not differentiable.
Tensor argmax(const Tensor& x);
/// For each row of x [N, C], the number of elements that come before the element at `labels` when the row is sorted,
/// the largest first and equal elements by index: int64 [N], 0 where argmax() gives the label. C where the element is
/// NaN; other elements that are NaN are not counted. `labels` is int64 [N] with values in [0, C). Not differentiable.
Tensor label_ranks(const Tensor& x, const Tensor& labels);
/// The number of positions where `a` and `b` are equal, as a float64 scalar on their device. Throws Error unless both
/// are int64 of one shape on one device. Not differentiable.
Tensor count_equal(const Tensor& a, const Tensor& b);

}  // namespace radial
