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
/// The largest elements along `dim`, which is removed; NaN where there is one. The gradient goes to the first of equal
/// elements.
Tensor max(const Tensor& x, int dim);
/// The smallest elements along `dim`, which is removed; NaN where there is one. The gradient goes to the first of equal
/// elements.
Tensor min(const Tensor& x, int dim);
/// The largest element over `dims`, with the arguments of sum(); NaN if any element is NaN. As in PyTorch, the gradient
/// is divided evenly among equal elements; unlike in PyTorch, also among NaNs. Throws Error if there is no element
/// along `dims`.
Tensor amax(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The smallest element over `dims`, like amax().
Tensor amin(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The product over `dims`, with the arguments of sum(); 1 if there is no element. The gradient of an element is dy
/// times the product of the others, even where elements are 0.
Tensor prod(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The variance over `dims`: the sum of (x - mean)^2, divided by n - correction, where n is the number of elements. A
/// `correction` of 1 gives the unbiased estimate of a sample, 0 the mean squared deviation. The mean is computed first,
/// so no digits are lost where the mean is far from 0. If n is at most `correction`, the result is NaN if all
/// deviations are 0, and otherwise infinity, as in PyTorch. Throws Error if `correction` is negative.
Tensor var(const Tensor& x, const std::vector<int>& dims = {}, int correction = 1, bool keep_dims = false);
/// The standard deviation, the square root of var(). Its gradient at 0 is 0, as in PyTorch.
Tensor std(const Tensor& x, const std::vector<int>& dims = {}, int correction = 1, bool keep_dims = false);
/// The p-norm over `dims`: the sum of |x| if `p` is 1, the square root of the sum of x^2 if `p` is 2, the largest |x|
/// if `p` is infinity. The gradient of the zero vector is 0. If `p` is infinity, the gradient is divided evenly among
/// equal elements. Throws Error for another `p`.
Tensor norm(const Tensor& x, double p = 2, const std::vector<int>& dims = {}, bool keep_dims = false);
/// 1 where no element over `dims` is 0, else 0, in the dtype of x; 1 if there is no element. NaN is not 0. Not
/// differentiable.
Tensor all(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// 1 where an element over `dims` is not 0, else 0, in the dtype of x; 0 if there is no element. NaN is not 0. Not
/// differentiable.
Tensor any(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The number (int64) of elements over `dims` that are not 0. NaN is not 0. Not differentiable.
Tensor count_nonzero(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The median of x [N], N > 0; for an even number of elements the smaller of the two in the middle. NaN when any
/// element is NaN. The result is [1]. Not differentiable.
Tensor median(const Tensor& x);
/// The index (int64) of the first largest element in each row of x [N, C]: [N]. Unlike in argmax(x, dim), NaN counts as
/// smaller than every number unless it comes first, so that a prediction is a class with a score. Not differentiable.
Tensor argmax(const Tensor& x);
/// The index (int64) of the first largest element along `dim`, which is removed, or kept with extent 1 if `keep_dims`
/// is set. As in PyTorch, NaN counts as larger than every number. Throws Error if the dimension is empty. Not
/// differentiable.
Tensor argmax(const Tensor& x, int dim, bool keep_dims = false);
/// The index (int64) of the first smallest element along `dim`, or of the first NaN, with the arguments of argmax().
/// Not differentiable.
Tensor argmin(const Tensor& x, int dim, bool keep_dims = false);
/// For each row of x [N, C], the number of elements that come before the element at `labels` when the row is sorted,
/// the largest first and equal elements by index: int64 [N]. It is 0 where argmax() gives the label, and C where the
/// element at the label is NaN; other elements that are NaN are not counted. `labels` is int64 [N] with values in [0,
/// C). Not differentiable.
Tensor label_ranks(const Tensor& x, const Tensor& labels);
/// The number of positions where `a` and `b` are equal, as a float64 scalar on their device. Throws Error unless both
/// are int64 of one shape on one device. Not differentiable.
Tensor count_equal(const Tensor& a, const Tensor& b);

}  // namespace radial
