// Convolution, transposed convolution, 2-D pooling with windows of a given size (the extents of the result are rounded
// down) or to a given size (adaptive), and scaling of channels.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

/// Cross-correlation of x [N, C, H, W] with weight [K, C/groups, R, S], plus bias [K] (may be undefined): [N, K, H',
/// W'].
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvGeometry& geometry = {});
/// activation(conv2d(...) + residual), for evaluation, computed in one pass where the device supports it. `residual`
/// has the shape of the result or is undefined. Throws Error when a gradient would be needed.
Tensor conv2d_activated(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& geometry,
                        Activation activation, const Tensor& residual = {});

/// Geometry of a 1-D convolution of x [N, C, L] with weights [K, C/groups, S].
struct Conv1dGeometry {
    std::int64_t stride = 1;    ///< step of the window, in positions
    std::int64_t pad = 0;       ///< zeros added on each side
    std::int64_t dilation = 1;  ///< distance between kernel elements, in positions
    std::int64_t groups = 1;    ///< groups of channels that are convolved separately
};
/// Cross-correlation of x [N, C, L] with weight [K, C/groups, S], plus bias [K] (may be undefined): [N, K, L'] with L'
/// = floor((L + 2 pad - dilation (S - 1) - 1) / stride) + 1. Throws Error for an empty tensor, for shapes that do not
/// fit each other, and when the kernel is longer than the padded input.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv1dGeometry& geometry = {});

/// Geometry of a 2-D transposed convolution of x [N, C, H, W] with weights [C, K/groups, R, S].
struct ConvTranspose2dGeometry {
    std::int64_t stride_h = 1, stride_w = 1;          ///< distance in the result between adjacent pixels of x
    std::int64_t pad_h = 0, pad_w = 0;                ///< rows and columns removed on each side of the result
    std::int64_t output_pad_h = 0, output_pad_w = 0;  ///< rows and columns added at the end; less than the stride
    std::int64_t dilation_h = 1, dilation_w = 1;      ///< distance between kernel elements, in pixels
    std::int64_t groups = 1;                          ///< groups of channels that are convolved separately
};
/// The transposed convolution ("deconvolution", Zeiler et al. 2010): the gradient of conv2d() with respect to its
/// input, applied to x [N, C, H, W] with weight [C, K/groups, R, S], plus bias [K] (may be undefined). Each pixel of x
/// adds its multiple of the kernel to the result [N, K, H', W'], where
///
///     H' = (H - 1) stride_h - 2 pad_h + dilation_h (R - 1) + output_pad_h + 1
///
/// and W' likewise. Throws Error for an empty tensor, for shapes that do not fit each other, for an output padding that
/// is not below the stride (PyTorch also allows one below the dilation), and when H' or W' is below 1.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose2dGeometry& geometry = {});

/// Multiplies each channel of each image of x [N, C, H, W] by a factor: scale is [N, C], or [N, 1] for one factor per
/// image. Computed in place when `x` is a temporary that nothing else reads and `scale` needs no gradient.
Tensor scale_channels(Tensor x, const Tensor& scale);

/// The maximum of each window of x [N, C, H, W]. Padding is never the maximum.
Tensor max_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean over the part of each window of x [N, C, H, W] that lies inside the image.
Tensor avg_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
///@{
/// Pools x [N, C, H, W] to [N, C, height, width], for any H and W of at least 1. The window of row i is [floor(i H /
/// height), ceil((i + 1) H / height)), and columns likewise, so windows may overlap by a pixel, and are repeated where
/// the result is larger than x. adaptive_avg_pool2d() returns the mean of each window. adaptive_max_pool2d() returns
/// the maximum; a NaN counts as larger than every number, and the first of equal pixels gets the gradient. Either
/// layout is kept. Throws Error when `height` or `width` is below 1 or x has no pixels.
Tensor adaptive_avg_pool2d(const Tensor& x, std::int64_t height, std::int64_t width);
Tensor adaptive_max_pool2d(const Tensor& x, std::int64_t height, std::int64_t width);
///@}
/// The mean of x [N, C, H, W] over H and W: [N, C].
Tensor global_avg_pool(const Tensor& x);

}  // namespace radial
