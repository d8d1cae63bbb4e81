// Comparisons, logic, and choices between two tensors. Tensors are broadcast as in elementwise.h.
//
// Radial has no boolean dtype: comparisons and logic return 1 (true) or 0 (false) in the dtype of their inputs, and any
// number other than 0, including NaN, counts as true. Their results have no gradient.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

///@{
/// a = b, a != b, a < b, a <= b, a > b and a >= b, element by element. If either is NaN, only a != b is true.
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);
///@}
///@{
/// Comparisons of each element with a number, which is first rounded to the dtype of a.
Tensor equal(const Tensor& a, double b);
Tensor not_equal(const Tensor& a, double b);
Tensor less(const Tensor& a, double b);
Tensor less_equal(const Tensor& a, double b);
Tensor greater(const Tensor& a, double b);
Tensor greater_equal(const Tensor& a, double b);
///@}
/// 1 where x is 0, and 0 elsewhere.
Tensor logical_not(const Tensor& x);
///@{
/// 1 where both a and b (logical_and) or at least one of them (logical_or) are not 0, and 0 elsewhere.
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
///@}
/// 1 where x is NaN, and 0 elsewhere.
Tensor is_nan(const Tensor& x);
/// 1 where x is neither NaN nor infinite, and 0 elsewhere.
Tensor is_finite(const Tensor& x);

/// a where condition is true, b elsewhere. The three tensors are broadcast; the condition may have any floating dtype.
/// The gradient reaches only the chosen elements: a NaN or infinity in the other tensor changes nothing. The condition
/// has no gradient.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
/// The larger of a and b, broadcast; NaN if either is NaN. The gradient goes to the larger one. Each gets half of it at
/// a tie, and all of it if either is NaN (as in PyTorch).
Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller of a and b, broadcast; NaN if either is NaN. The gradient goes to the smaller one; ties and NaN are
/// treated as in maximum().
Tensor minimum(const Tensor& a, const Tensor& b);

}  // namespace radial
