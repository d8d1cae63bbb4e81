// The weights' gradient of depthwise convolutions on the CPU: oneDNN 2.6 has a fast kernel for few of their shapes.
#pragma once

#include "radial/core/backend/backend.h"

namespace radial {

/// Writes the gradient dw [C, 1, R, R] of the weights of a depthwise convolution of x [N, C, H, W] with the result's
/// gradient dy, both channels-last. False, with nothing written, for other convolutions than those of undilated 3x3 or
/// 5x5 kernels over a number of channels that 16 divides.
bool depthwise_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw);

}  // namespace radial
