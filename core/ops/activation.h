// Activation functions and dropout.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/random.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

/// max(x, 0). Computed in place when `x` is a temporary that nothing else reads.
Tensor relu(Tensor x);
/// min(max(x, 0), 6) (Howard et al. 2017). The gradient is dy where 0 < x < 6, and 0 elsewhere. Computed in place as
/// relu() is.
Tensor relu6(Tensor x);
/// relu6(x + 3) / 6 (Howard et al. 2019). The gradient at the kinks is 0.
Tensor hard_sigmoid(const Tensor& x);
/// x * hard_sigmoid(x) (Howard et al. 2019). The gradient at the kinks is 0 at -3 and dy at 3.
Tensor hard_swish(const Tensor& x);
/// x where x > 0, slope * x elsewhere. slope is [C] (one per channel, dimension 1) or [1], in x's dtype, or float32
/// with a bfloat16 x. Computed in place when `x` is a float32 or float64 temporary on the CPU that nothing else reads
/// and all slopes are above 1e-3, so that backward can recover x from the result.
Tensor prelu(Tensor x, const Tensor& slope);
/// x * sigmoid(x).
Tensor silu(const Tensor& x);
/// x * Phi(x), where Phi is the distribution function of N(0, 1) (Hendrycks & Gimpel 2016). Not the approximation by
/// tanh.
Tensor gelu(const Tensor& x);
/// The activation of x. Computed in place where the activation's own op is.
Tensor activated(Tensor x, Activation activation);
/// 1 / (1 + exp(-x)).
Tensor sigmoid(const Tensor& x);
/// Hyperbolic tangent.
Tensor tanh(const Tensor& x);
/// Zeroes each element with probability p, in [0, 1), and divides the others by 1 - p. Draws numel() numbers from
/// `generator`.
Tensor dropout(const Tensor& x, double p, Generator& generator);

}  // namespace radial
