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
/// min(max(x, 0), 6) (Howard et al. 2017). The gradient is dy where 0 < x < 6, and 0 elsewhere. Computed in place like
/// relu().
Tensor relu6(Tensor x);
/// relu6(x + 3) / 6 (Howard et al. 2019). The gradient at the kinks is 0.
Tensor hard_sigmoid(const Tensor& x);
/// x * hard_sigmoid(x) (Howard et al. 2019). At the kinks, the gradient is 0 (x = -3) and dy (x = 3).
Tensor hard_swish(const Tensor& x);
/// x where x > 0, slope * x elsewhere. slope is [C] (one per channel, dimension 1) or [1], in x's dtype, or in float32
/// if x is bfloat16. Computed in place when `x` is a float32 or float64 temporary on the CPU that nothing else reads
/// and all slopes are above 1e-3, so that backward can recover x from the result.
Tensor prelu(Tensor x, const Tensor& slope);
/// x * sigmoid(x).
Tensor silu(const Tensor& x);
/// x * Phi(x), where Phi is the distribution function of N(0, 1) (Hendrycks & Gimpel 2016). This is the exact function,
/// not its approximation by tanh.
Tensor gelu(const Tensor& x);
/// gelu() with an approximation of Phi: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 (Hendrycks & Gimpel 2016).
Tensor gelu_tanh(const Tensor& x);
/// x where x > 0, slope * x elsewhere (Maas et al. 2013). The gradient at 0 is slope * dy. Computed in place like
/// relu() if slope is not negative.
Tensor leaky_relu(Tensor x, double slope = 0.01);
/// x where x > 0, alpha * (exp(x) - 1) elsewhere (Clevert et al. 2016). The gradient at 0 is alpha * dy.
Tensor elu(const Tensor& x, double alpha = 1);
/// 1.0507 * elu(x, 1.6733), which keeps the mean of activations near 0 and their variance near 1 (Klambauer et al.
/// 2017).
Tensor selu(const Tensor& x);
/// x where x > 0, alpha * (exp(x / alpha) - 1) elsewhere, which is differentiable at 0 (Barron 2017). Throws Error
/// unless alpha is above 0.
Tensor celu(const Tensor& x, double alpha = 1);
/// x limited to [low, high]: clamp(x, low, high). Throws Error unless low <= high.
Tensor hard_tanh(const Tensor& x, double low = -1, double high = 1);
/// x * tanh(softplus(x)) (Misra 2020).
Tensor mish(const Tensor& x);
/// x / (1 + |x|) (Turian et al. 2009).
Tensor softsign(const Tensor& x);
/// log(sigmoid(x)), without overflow or cancellation.
Tensor log_sigmoid(const Tensor& x);
/// x moved towards 0 by `bound`, and 0 where |x| <= bound (soft thresholding). The gradient is dy where the result is
/// not 0. Throws Error when bound is below 0.
Tensor soft_shrink(const Tensor& x, double bound = 0.5);
/// x where |x| > bound, 0 elsewhere. The gradient is dy where the result is not 0. Throws Error when bound is below 0.
Tensor hard_shrink(const Tensor& x, double bound = 0.5);
/// a * sigmoid(b), where a and b are the first and second half of x along dimension `dim`, which may be negative: the
/// gated linear unit (Dauphin et al. 2017). The result has half the extent in that dimension. Throws Error when x's
/// extent is odd.
Tensor glu(const Tensor& x, int dim = -1);
/// Applies `activation` to x. Computed in place where the op of that activation is.
Tensor activated(Tensor x, Activation activation);
/// 1 / (1 + exp(-x)).
Tensor sigmoid(const Tensor& x);
/// Hyperbolic tangent.
Tensor tanh(const Tensor& x);
/// Zeroes each element with probability p, in [0, 1), and divides the others by 1 - p. Draws x.numel() numbers from
/// `generator`.
Tensor dropout(const Tensor& x, double p, Generator& generator);

}  // namespace radial
