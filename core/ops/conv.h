// 2-D convolution, and one factor a channel of each image.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

/// Cross-correlation of x [N, C, H, W] with weight [K, C/groups, R, S], plus bias [K] (may be undefined).
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvGeometry& geometry = {});
/// activation(conv2d(...) + residual), the residual of the result's shape or undefined: for evaluation, in one pass
/// where the device can. Throws Error where a gradient would have to flow.
Tensor conv2d_activated(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& geometry,
                        Activation activation, const Tensor& residual = {});

/// Each channel of each image of x [N, C, H, W] times a number of its own: scale [N, C], or [N, 1] with one an image.
/// Works in place when `x` is a temporary that nothing else reads and `scale` wants no gradient.
Tensor scale_channels(Tensor x, const Tensor& scale);

}  // namespace radial
