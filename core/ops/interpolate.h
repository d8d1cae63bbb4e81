// Resizing of images by interpolation, and exchange of channels for pixels.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial {

/// How interpolate2d() computes a pixel from those of its input.
enum class Interpolation : std::uint8_t {
    nearest,   ///< the pixel at floor(i / s), with the s of interpolate2d()
    bilinear,  ///< the linear interpolation between two pixels along each dimension
    bicubic    ///< Keys' cubic convolution (1981) of four pixels along each dimension, with a = -0.75
};

/// Options of interpolate2d(). Give either a size or a scale. Extents computed from a scale are rounded down.
/// align_corners is for bilinear and bicubic interpolation.
struct InterpolateOptions {
    std::int64_t height = 0, width = 0;           ///< extents of the result; 0 when scales are given
    double scale_h = 0, scale_w = 0;              ///< factors of the extents; 0 when a size is given
    Interpolation mode = Interpolation::nearest;  ///< how a pixel is computed
    bool align_corners = false;                   ///< whether the centres of corner pixels coincide
};

/// x [N, C, H, W] resized to [N, C, H', W'], as torch.nn.functional.interpolate does without antialiasing. For bilinear
/// and bicubic interpolation, row i of the result is at position
///
///     (i + 1/2) / s - 1/2           with s = scale_h, or H' / H when a size is given
///     i (H - 1) / (H' - 1)          with align_corners; 0 if H' is 1
///
/// of x, and columns likewise; positions outside the image read its border. Either layout is kept. Gradients are summed
/// in a fixed order. Throws Error unless exactly one of size and scale is given and positive, for a result or an image
/// without pixels, and for align_corners with Interpolation::nearest.
Tensor interpolate2d(const Tensor& x, const InterpolateOptions& options);

/// Moves channels to pixels (Shi et al. 2016): x [N, C r^2, H, W] becomes y [N, C, H r, W r] with y[n, c, h r + i, w r
/// + j] = x[n, c r^2 + i r + j, h, w], where r is `factor`. Either layout is kept. Throws Error when `factor` is below
/// 1 or its square does not divide the channels.
Tensor pixel_shuffle(const Tensor& x, std::int64_t factor);
/// The inverse of pixel_shuffle(): x [N, C, H r, W r] becomes [N, C r^2, H, W]. Throws Error when `factor` is below 1
/// or does not divide both extents.
Tensor pixel_unshuffle(const Tensor& x, std::int64_t factor);

}  // namespace radial
