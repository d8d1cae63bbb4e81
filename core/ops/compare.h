// Comparisons, logic, and choices between two tensors. Tensors are broadcast as in elementwise.h.
//
// Radial has no truth values: comparisons and logic return 1 (true) or 0 (false) in the dtype of their inputs, and any
// number other than 0, also NaN, counts as true. Their results have no gradient.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

///@{
/// a = b, a != b, a < b, a <= b, a > b and a >= b, element by element. With NaN only a != b is true.
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);
///@}
///@{
/// The same with a number, which is first rounded to the dtype of a.
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
/// 1 where both, or either, of a and b are not 0.
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
///@}
/// 1 where x is NaN.
Tensor is_nan(const Tensor& x);
/// 1 where x is neither NaN nor infinite.
Tensor is_finite(const Tensor& x);

/// a where condition is true, b elsewhere. The three tensors are broadcast; the condition may have any floating dtype.
/// The gradient reaches only the chosen elements: a NaN or infinity in the other tensor changes nothing. The condition
/// has no gradient.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
/// The larger of two numbers, and NaN if either is NaN, broadcast. The gradient goes to the larger one; each gets half
/// at a tie, and the whole if either is NaN (as in PyTorch).
Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller of two numbers, and NaN if either is NaN, broadcast. The gradient is as in maximum().
Tensor minimum(const Tensor& a, const Tensor& b);

}  // namespace radial
