// 2-D convolution, 2-D pooling (output sizes are rounded down), and scaling of channels.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

/// Cross-correlation of x [N, C, H, W] with weight [K, C/groups, R, S], plus bias [K] (may be undefined): [N, K, H',
/// W'].
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvGeometry& geometry = {});
/// activation(conv2d(...) + residual), for evaluation; in one pass where the device supports it. `residual` has the
/// shape of the result or is undefined. Throws Error when a gradient would be needed.
Tensor conv2d_activated(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& geometry,
                        Activation activation, const Tensor& residual = {});

/// Multiplies each channel of each image of x [N, C, H, W] by a factor: scale is [N, C], or [N, 1] for one factor per
/// image. Computed in place when `x` is a temporary that nothing else reads and `scale` needs no gradient.
Tensor scale_channels(Tensor x, const Tensor& scale);

/// The maximum of each window of x [N, C, H, W]. Padding never wins.
Tensor max_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean over the part of each window of x [N, C, H, W] that lies inside the image.
Tensor avg_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean of x [N, C, H, W] over H and W: [N, C].
Tensor global_avg_pool(const Tensor& x);

}  // namespace radial
