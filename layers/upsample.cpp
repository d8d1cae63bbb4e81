// Transposed convolution, interpolation and pixel shuffling: checks, initial weights, and calls of their ops.
#include "radial/layers/upsample.h"

#include "radial/core/nn/initialize.h"

#include <cmath>

namespace radial {
namespace {

void check_options(const ConvTranspose2dOptions& o) {
    check_convolution("ConvTranspose2d", o);
    const Size2d more = o.output_padding;
    RADIAL_CHECK(more.h >= 0 && more.w >= 0 && more.h < o.stride.h && more.w < o.stride.w,
                 "ConvTranspose2d: output_padding is {} x {}, expected at least 0 x 0 and below the stride {} x {}",
                 more.h, more.w, o.stride.h, o.stride.w);
}

}  // namespace

ConvTranspose2d::ConvTranspose2d(const ConvTranspose2dOptions& options) : options_(options) {
    check_options(options_);
    const Size2d kernel = options_.kernel;
    geometry_ = {.stride_h = options_.stride.h,
                 .stride_w = options_.stride.w,
                 .pad_h = options_.padding.h,
                 .pad_w = options_.padding.w,
                 .output_pad_h = options_.output_padding.h,
                 .output_pad_w = options_.output_padding.w,
                 .dilation_h = options_.dilation.h,
                 .dilation_w = options_.dilation.w,
                 .groups = options_.groups};
    const std::int64_t group_channels = options_.out_channels / options_.groups;
    weight_ = register_parameter("weight", Tensor::empty({options_.in_channels, group_channels, kernel.h, kernel.w}));
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0));
    if (!options_.bias) return;
    bias_ = register_parameter("bias", Tensor::empty({options_.out_channels}));
    init::bias_uniform_(bias_, group_channels * kernel.h * kernel.w);
}

Tensor ConvTranspose2d::forward(Tensor x) {
    check_image_input("ConvTranspose2d", x);
    check_channels("ConvTranspose2d", x, options_.in_channels);
    return conv_transpose2d(x, weight_, bias_, geometry_);
}

Upsample::Upsample(const UpsampleOptions& options) : options_(options) {
    if (options_.size.has_value()) check_size("Upsample", "size", *options_.size);
    RADIAL_CHECK(options_.scale > 0 && std::isfinite(options_.scale),
                 "Upsample: scale is {}, expected a finite number above 0", options_.scale);
    RADIAL_CHECK(!options_.align_corners || options_.mode != Interpolation::nearest,
                 "Upsample: align_corners is for bilinear and bicubic, not for nearest");
}

Tensor Upsample::forward(Tensor x) {
    check_image_input("Upsample", x);
    InterpolateOptions call{.mode = options_.mode, .align_corners = options_.align_corners};
    if (options_.size.has_value()) {
        call.height = options_.size->h;
        call.width = options_.size->w;
    } else {
        call.scale_h = call.scale_w = options_.scale;
    }
    return interpolate2d(x, call);
}

PixelShuffle::PixelShuffle(const PixelShuffleOptions& options) : options_(options) {
    check_positive("PixelShuffle", "factor", options_.factor);
}

Tensor PixelShuffle::forward(Tensor x) {
    check_image_input("PixelShuffle", x);
    return pixel_shuffle(x, options_.factor);
}

PixelUnshuffle::PixelUnshuffle(const PixelShuffleOptions& options) : options_(options) {
    check_positive("PixelUnshuffle", "factor", options_.factor);
}

Tensor PixelUnshuffle::forward(Tensor x) {
    check_image_input("PixelUnshuffle", x);
    return pixel_unshuffle(x, options_.factor);
}

}  // namespace radial
