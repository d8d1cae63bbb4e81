// Initial weights: orthogonal matrices, identities, truncated normal distributions and gains, in addition to the
// distributions of core/tensor/random.h (uniform_(), normal_(), init::kaiming_uniform_() and its kin). A constant is
// set by Tensor::fill_().
#pragma once

#include "radial/core/tensor/random.h"

#include <cstdint>

namespace radial::init {

/// The function that follows a layer, for gain_of().
enum class Nonlinearity : std::uint8_t {
    linear,      ///< none
    sigmoid,     ///< 1 / (1 + exp(-v))
    tanh,        ///< the hyperbolic tangent
    relu,        ///< max(v, 0)
    leaky_relu,  ///< v for v > 0, slope * v otherwise
    selu         ///< the scaled exponential linear unit (Klambauer et al. 2017)
};
/// The factor by which the standard deviation of a layer's weights is multiplied so that the activations behind the
/// nonlinearity keep their variance, as torch.nn.init.calculate_gain: 1 for linear and sigmoid, 5/3 for tanh, sqrt(2)
/// for ReLU, sqrt(2 / (1 + slope^2)) for the leaky ReLU, 3/4 for SELU. `slope` is ignored for the others.
double gain_of(Nonlinearity function, double slope = 0.01);

/// Fills w in place from N(mean, std^2), restricted to [low, high], as torch.nn.init.trunc_normal_: `low` and `high`
/// are values, not multiples of std. One number u of the generator gives the element mean + std * quantile(p), where p
/// is between the probabilities of low and high in proportion to u. Values do not depend on dtype, layout or number of
/// threads up to rounding. Computed on the host. Throws Error unless w is floating, std > 0, and low < high.
void trunc_normal_(const Tensor& w, double mean = 0, double std = 1, double low = -2, double high = 2,
                   Generator& generator = default_generator());

/// Fills w [K, ...], seen as a matrix of K rows, with a random matrix whose rows (or columns, if there are fewer) are
/// orthogonal and have length `gain` (Saxe et al. 2014): gain * Q from the QR decomposition of a matrix of N(0, 1)
/// numbers, with the signs that make R's diagonal positive, so that Q is uniformly distributed. Computed on the host,
/// in float64. Throws Error for an integer tensor, for one of rank below 2 and for one without elements.
void orthogonal_(const Tensor& w, double gain = 1, Generator& generator = default_generator());

/// Fills w [N, M] with the identity: 1 where row and column are equal, 0 elsewhere. init::dirac_() is its counterpart
/// for convolutions. Throws Error when w is not of rank 2 or is not floating.
void eye_(const Tensor& w);

/// Fills the bias of a layer of `fan_in` inputs from U(-b, b), b = 1 / sqrt(fan_in), as PyTorch's layers do. Throws
/// Error when fan_in is below 1.
void bias_uniform_(const Tensor& bias, std::int64_t fan_in, Generator& generator = default_generator());

}  // namespace radial::init
