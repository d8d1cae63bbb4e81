// 3x3 and 5x5 convolutions by Winograd's method (Lavin & Gray 2016) on channels-last images.
#pragma once

#include "radial/core/backend/backend.h"

namespace radial {

// Each returns false, with nothing written, for a convolution that it does not take or that another way is faster for:
// it takes undilated 3x3 and 5x5 kernels of stride 1 and less padding than their size, ungrouped, over numbers of
// channels that 4 divides, and enough of them. Images are float32 and channels-last, weights [K, C, R, R] row-major.
// Results differ from a direct convolution's in the sixth digit. All throw Error where oneDNN's matrix product fails.

/// y = activation(x (*) w + bias + residual); bias and residual may be undefined.
bool winograd_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                      const Tensor& residual, Activation activation, const Tensor& y);

/// The input's gradient.
bool winograd_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx);

/// The weights' gradient. It does not depend on the number of threads.
bool winograd_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw);

}  // namespace radial
