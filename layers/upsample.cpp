// Transposed convolution, interpolation and pixel shuffling: checks, initial weights, and calls of their ops.
#include "radial/layers/upsample.h"

#include "radial/core/nn/initialize.h"

#include <cmath>
#include <string_view>

namespace radial {
namespace {

void check_options(const ConvTranspose2dOptions& o) {
    constexpr std::string_view layer = "ConvTranspose2d";
    RADIAL_CHECK(o.in_channels >= 1 && o.out_channels >= 1 && o.groups >= 1,
                 "{}: in_channels {}, out_channels {} and groups {} must each be at least 1", layer, o.in_channels,
                 o.out_channels, o.groups);
    RADIAL_CHECK(o.in_channels % o.groups == 0 && o.out_channels % o.groups == 0,
                 "{}: groups {} does not divide in_channels {} and out_channels {}", layer, o.groups, o.in_channels,
                 o.out_channels);
    RADIAL_CHECK(o.kernel.h >= 1 && o.kernel.w >= 1, "{}: kernel is {} x {}, expected at least 1 x 1", layer,
                 o.kernel.h, o.kernel.w);
    RADIAL_CHECK(o.stride.h >= 1 && o.stride.w >= 1, "{}: stride is {} x {}, expected at least 1 x 1", layer,
                 o.stride.h, o.stride.w);
    RADIAL_CHECK(o.dilation.h >= 1 && o.dilation.w >= 1, "{}: dilation is {} x {}, expected at least 1 x 1", layer,
                 o.dilation.h, o.dilation.w);
    RADIAL_CHECK(o.padding.h >= 0 && o.padding.w >= 0, "{}: padding is {} x {}, expected at least 0 x 0", layer,
                 o.padding.h, o.padding.w);
    const Size2d more = o.output_padding;
    RADIAL_CHECK(more.h >= 0 && more.w >= 0 && more.h < o.stride.h && more.w < o.stride.w,
                 "{}: output_padding is {} x {}, expected at least 0 x 0 and below the stride {} x {}", layer, more.h,
                 more.w, o.stride.h, o.stride.w);
}

void check_factor(std::string_view layer, const PixelShuffleOptions& o) {
    RADIAL_CHECK(o.factor >= 1, "{}: factor is {}, expected at least 1", layer, o.factor);
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
    RADIAL_CHECK(x.size(1) == options_.in_channels, "ConvTranspose2d: input has {} channels, weight expects {}",
                 x.size(1), options_.in_channels);
    return conv_transpose2d(x, weight_, bias_, geometry_);
}

Upsample::Upsample(const UpsampleOptions& options) : options_(options) {
    if (const auto& size = options_.size)
        RADIAL_CHECK(size->h >= 1 && size->w >= 1, "Upsample: size is {} x {}, expected at least 1 x 1", size->h,
                     size->w);
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
    check_factor("PixelShuffle", options_);
}

Tensor PixelShuffle::forward(Tensor x) {
    check_image_input("PixelShuffle", x);
    return pixel_shuffle(x, options_.factor);
}

PixelUnshuffle::PixelUnshuffle(const PixelShuffleOptions& options) : options_(options) {
    check_factor("PixelUnshuffle", options_);
}

Tensor PixelUnshuffle::forward(Tensor x) {
    check_image_input("PixelUnshuffle", x);
    return pixel_unshuffle(x, options_.factor);
}

}  // namespace radial
