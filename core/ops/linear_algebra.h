// Matrix products.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// op(a) op(b) of two matrices, each transposed where flagged.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);
/// x [N, D] weight^T [D, K] + bias [K] (may be undefined): [N, K].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace radial
