// 3x3 and 5x5 convolutions by Winograd's method (Lavin & Gray 2016) on channels-last images.
#pragma once

#include "radial/core/backend/backend.h"

namespace radial {

// Each function returns false and writes nothing for convolutions that it does not support or that other kernels
// compute faster. The functions support ungrouped, undilated 3x3 and 5x5 kernels with stride 1 and a padding smaller
// than the kernel, if the numbers of channels are multiples of 4 and large enough. Images are float32 and
// channels-last; weights [K, C, R, R] are row-major. Results differ from those of a direct convolution in the sixth
// digit. All functions throw Error when oneDNN's matrix product fails.

/// y = activation(x (*) w + bias + residual); bias and residual may be undefined.
bool winograd_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                      const Tensor& residual, Activation activation, const Tensor& y);

/// dx = the gradient with respect to the input.
bool winograd_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx);

/// dw = the gradient with respect to the weights. The result does not depend on the number of threads.
bool winograd_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw);

}  // namespace radial
