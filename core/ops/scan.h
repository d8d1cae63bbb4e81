// Cumulative sums, products and maxima.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// y[e] = x[0] + ... + x[e] along `dim` (negative numbers count from the back), summed in float64. Throws Error if x
/// has no such dimension.
Tensor cumsum(const Tensor& x, int dim);
/// y[e] = x[0] * ... * x[e] along `dim`, multiplied in float64. The gradient is also correct where elements are 0.
Tensor cumprod(const Tensor& x, int dim);
/// y[e] = max(x[0], ..., x[e]) along `dim`; NaN from the first NaN onwards. As in PyTorch, the gradient goes to the
/// last of equal elements.
Tensor cummax(const Tensor& x, int dim);

}  // namespace radial
