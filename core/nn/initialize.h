// Initial weights: orthogonal matrices, identities, truncated normal distributions and gains, in addition to the
// distributions of core/tensor/random.h (uniform_(), normal_(), init::kaiming_uniform_() and others). Tensor::fill_()
// sets a constant.
#pragma once

#include "radial/core/tensor/random.h"

#include <cstdint>

namespace radial::init {

/// The activation function after a layer, from which gain_of() computes the layer's gain.
enum class Nonlinearity : std::uint8_t {
    linear,      ///< none
    sigmoid,     ///< 1 / (1 + exp(-v))
    tanh,        ///< the hyperbolic tangent
    relu,        ///< max(v, 0)
    leaky_relu,  ///< v for v > 0, slope * v otherwise
    selu         ///< the scaled exponential linear unit (Klambauer et al. 2017)
};
/// The factor by which the standard deviation of a layer's weights is multiplied so that the activations after the
/// nonlinearity keep their variance, as in torch.nn.init.calculate_gain: 1 for linear and sigmoid, 5/3 for tanh,
/// sqrt(2) for ReLU, sqrt(2 / (1 + slope^2)) for the leaky ReLU, 3/4 for SELU. `slope` is used only for the leaky ReLU.
double gain_of(Nonlinearity function, double slope = 0.01);

/// Fills w in place from N(mean, std^2), restricted to [low, high], as torch.nn.init.trunc_normal_ does: `low` and
/// `high` are values, not multiples of std. Each element is mean + std * quantile(p), where quantile() is that of the
/// standard normal distribution and p, computed from one number of the generator, is uniformly distributed between the
/// probabilities of values below `low` and below `high`. Apart from rounding, values do not depend on dtype, layout or
/// number of threads. Computed on the host. Throws Error unless w is floating, mean is finite, std is finite and
/// positive, and low < high.
void trunc_normal_(const Tensor& w, double mean = 0, double std = 1, double low = -2, double high = 2,
                   Generator& generator = default_generator());

/// Fills w [K, ...], viewed as a matrix of K rows, with a random matrix whose rows (or columns, if there are fewer
/// columns than rows) are orthogonal and have length `gain` (Saxe et al. 2014): gain * Q from the QR decomposition of a
/// matrix of N(0, 1) numbers, with the signs that make R's diagonal positive, so that Q is uniformly distributed.
/// Computed on the host, in float64. Throws Error for an integer tensor, a rank below 2 and a tensor without elements.
void orthogonal_(const Tensor& w, double gain = 1, Generator& generator = default_generator());

/// Fills w [N, M] with the identity: 1 where row and column are equal, 0 elsewhere. init::dirac_() is its counterpart
/// for convolutions. Throws Error when w is not of rank 2 or not of a floating-point type.
void eye_(const Tensor& w);

/// Fills the bias of a layer of `fan_in` inputs from U(-b, b), b = 1 / sqrt(fan_in), as PyTorch's layers do. Throws
/// Error when fan_in is below 1.
void bias_uniform_(const Tensor& bias, std::int64_t fan_in, Generator& generator = default_generator());

}  // namespace radial::init
