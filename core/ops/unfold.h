// Windows of images as columns of a matrix ("im2col"), and sums of such columns back into images ("col2im").
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial {

/// Geometry of the windows of unfold() and fold().
struct UnfoldGeometry {
    std::int64_t window_h = 1, window_w = 1;      ///< extent of the window, in elements
    std::int64_t stride_h = 1, stride_w = 1;      ///< step of the window, in pixels
    std::int64_t pad_h = 0, pad_w = 0;            ///< zeros added on each side, in pixels
    std::int64_t dilation_h = 1, dilation_w = 1;  ///< distance between the elements of a window, in pixels
};

/// The windows of x [N, C, H, W] as columns: [N, C R S, L] for windows of R x S elements at L = H' W' positions, with
/// the H' and W' of a convolution of this geometry. Element (n, (c R + r) S + s, i W' + j) is x[n, c, i stride_h -
/// pad_h + r dilation_h, j stride_w - pad_w + s dilation_w], or 0 in the padding. Throws Error when x is not of rank 4,
/// a number of the geometry is out of range, or no window fits.
Tensor unfold(const Tensor& x, const UnfoldGeometry& geometry);

/// The adjoint of unfold(): adds the windows x [N, C R S, L] to an image [N, C, height, width], in a fixed order.
/// Throws Error when x is not of rank 3 or does not have the shape that unfold() gives for such an image, or when a
/// number of the geometry is out of range.
Tensor fold(const Tensor& x, std::int64_t height, std::int64_t width, const UnfoldGeometry& geometry);

}  // namespace radial
