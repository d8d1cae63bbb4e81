// Activation functions and dropout.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/tensor/random.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

/// max(x, 0). Works in place when `x` is a temporary that nothing else reads.
Tensor relu(Tensor x);
/// x where x > 0, slope * x elsewhere. slope: [C] (one a channel, dimension 1) or [1], in x's dtype, or float32 beside
/// a bfloat16 x. Works in place when `x` is a float32 or float64 temporary on the CPU that nothing else reads and every
/// slope is positive, so that backward can tell x from the result.
Tensor prelu(Tensor x, const Tensor& slope);
/// x * sigmoid(x).
Tensor silu(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor tanh(const Tensor& x);
/// Zeroes each element with probability p and divides the rest by 1 - p. p in [0, 1).
Tensor dropout(const Tensor& x, double p, Generator& generator);

}  // namespace radial
