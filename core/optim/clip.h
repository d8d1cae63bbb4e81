// The norm of the gradients, and clipping to a largest norm.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <vector>

namespace radial {

/// The Euclidean norm of all gradients together, accumulated in double; it does not depend on the number of threads.
/// Parameters without a gradient count as 0. Throws Error when gradients are on several devices; so do clip_gradients()
/// and clip_gradient_norm().
double gradient_norm(const std::vector<Tensor>& parameters);
/// Clips the gradients: when their joint norm is finite and above `max_norm` (which may be infinite), multiplies them
/// in place by max_norm / (norm + 1e-6), as in PyTorch. Returns the norm before clipping, a float64 scalar on the
/// gradients' device, without waiting for it. Throws Error when max_norm is not positive.
Tensor clip_gradients(const std::vector<Tensor>& parameters, double max_norm);
/// Like clip_gradients(), but waits for the norm and checks it. Throws NumericError when the norm is not finite, naming
/// the first gradient that is not, and Error when max_norm is not positive; no gradient has then been changed.
double clip_gradient_norm(const std::vector<Tensor>& parameters, double max_norm);

}  // namespace radial
