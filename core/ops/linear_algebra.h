// Matrix products.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// op(a) op(b) of two matrices, where op transposes its argument if the flag is set.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);
/// x weight^T + bias: x [N, D], weight [K, D], bias [K] or undefined; the result is [N, K].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace radial
