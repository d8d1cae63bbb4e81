// Layers that enlarge images: transposed convolution, interpolation and pixel shuffling.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/ops/conv.h"
#include "radial/core/ops/interpolate.h"
#include "radial/layers/common.h"

#include <cstdint>
#include <optional>

namespace radial {

/// Options of ConvTranspose2d.
struct ConvTranspose2dOptions {
    std::int64_t in_channels = 1;   ///< channels of the input
    std::int64_t out_channels = 1;  ///< channels of the result
    Size2d kernel = 3;              ///< height and width of the kernel
    Size2d stride = 1;              ///< distance in the result between adjacent pixels of the input
    Size2d padding = 0;             ///< rows and columns removed on each side of the result
    Size2d output_padding = 0;      ///< rows and columns added at the bottom and right; less than the stride
    Size2d dilation = 1;            ///< distance between kernel elements, in pixels
    std::int64_t groups = 1;        ///< groups convolved separately
    bool bias = true;               ///< add a bias per output channel
};

/// 2-D transposed convolution: the adjoint of a Conv2d with the same options, plus a bias. See conv_transpose2d(). x
/// [N, in_channels, H, W]; the result is [N, out_channels, H', W'] with
///
///     H' = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1
///
/// and W' likewise. Parameters: weight [in_channels, out_channels / groups, kernel.h, kernel.w], bias [out_channels].
/// Both are initially uniform in +-1 / sqrt(out_channels / groups * kernel.h * kernel.w), as in PyTorch.
class ConvTranspose2d : public Layer {
public:
    using Options = ConvTranspose2dOptions;  ///< for Sequential::add()

    /// Throws Error when an extent is below 1, a padding is negative, output_padding is not below the stride, or groups
    /// does not divide both channel counts.
    explicit ConvTranspose2d(const ConvTranspose2dOptions& options);
    /// Throws Error when x is not of rank 4, has another number of channels, or is so small that the result would have
    /// no pixels.
    Tensor forward(Tensor x) override;
    /// The kernels [in_channels, out_channels / groups, kernel.h, kernel.w].
    const Tensor& weight() const { return weight_; }
    /// The bias [out_channels]; undefined without a bias.
    const Tensor& bias() const { return bias_; }

private:
    ConvTranspose2dOptions options_;
    ConvTranspose2dGeometry geometry_;
    Tensor weight_, bias_;
};

/// Options of Upsample.
struct UpsampleOptions {
    double scale = 2;                             ///< factor of height and width; ignored if a size is given
    std::optional<Size2d> size = {};              ///< height and width of the result
    Interpolation mode = Interpolation::nearest;  ///< method of interpolation
    bool align_corners = false;                   ///< align the centres of the corner pixels; for bilinear and bicubic
};

/// interpolate2d(). x [N, C, H, W]; the result is [N, C, size.h, size.w], or [N, C, floor(scale H), floor(scale W)].
class Upsample : public Layer {
public:
    using Options = UpsampleOptions;  ///< for Sequential::add()

    /// Throws Error when the size is below 1 x 1, the scale is not above 0, or align_corners is given for nearest.
    explicit Upsample(const UpsampleOptions& options = {});
    /// Throws Error when x is not of rank 4 or has no pixels.
    Tensor forward(Tensor x) override;

private:
    UpsampleOptions options_;
};

/// Options of PixelShuffle and PixelUnshuffle.
struct PixelShuffleOptions {
    std::int64_t factor = 2;  ///< ratio of the heights and widths of input and result
};

/// pixel_shuffle(). x [N, C factor^2, H, W]; the result is [N, C, H factor, W factor].
class PixelShuffle : public Layer {
public:
    using Options = PixelShuffleOptions;  ///< for Sequential::add()

    /// Throws Error when factor is below 1.
    explicit PixelShuffle(const PixelShuffleOptions& options = {});
    /// Throws Error when x is not of rank 4 or factor^2 does not divide its channels.
    Tensor forward(Tensor x) override;

private:
    PixelShuffleOptions options_;
};

/// pixel_unshuffle(), the inverse of PixelShuffle. x [N, C, H factor, W factor]; the result is [N, C factor^2, H, W].
class PixelUnshuffle : public Layer {
public:
    using Options = PixelShuffleOptions;  ///< for Sequential::add()

    /// Throws Error when factor is below 1.
    explicit PixelUnshuffle(const PixelShuffleOptions& options = {});
    /// Throws Error when x is not of rank 4 or factor does not divide its height and width.
    Tensor forward(Tensor x) override;

private:
    PixelShuffleOptions options_;
};

}  // namespace radial
