// Conv2d: checks, initial weights, and the call of the op.
#include "radial/layers/conv.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/input_check.h"

#include <cmath>

namespace radial {
namespace {

void check_options(const Conv2dOptions& o) {
    RADIAL_CHECK(o.in_channels >= 1 && o.out_channels >= 1 && o.groups >= 1,
                 "Conv2d: in_channels {}, out_channels {} and groups {} must each be at least 1", o.in_channels,
                 o.out_channels, o.groups);
    RADIAL_CHECK(o.in_channels % o.groups == 0 && o.out_channels % o.groups == 0,
                 "Conv2d: groups {} does not divide in_channels {} and out_channels {}", o.groups, o.in_channels,
                 o.out_channels);
    RADIAL_CHECK(o.kernel.h >= 1 && o.kernel.w >= 1, "Conv2d: kernel is {} x {}, expected at least 1 x 1", o.kernel.h,
                 o.kernel.w);
    RADIAL_CHECK(o.stride.h >= 1 && o.stride.w >= 1, "Conv2d: stride is {} x {}, expected at least 1 x 1", o.stride.h,
                 o.stride.w);
    RADIAL_CHECK(o.dilation.h >= 1 && o.dilation.w >= 1, "Conv2d: dilation is {} x {}, expected at least 1 x 1",
                 o.dilation.h, o.dilation.w);
    RADIAL_CHECK(o.padding.h >= 0 && o.padding.w >= 0, "Conv2d: padding is {} x {}, expected at least 0 x 0",
                 o.padding.h, o.padding.w);
}

}  // namespace

Conv2d::Conv2d(const Conv2dOptions& options) : options_(options) {
    check_options(options_);
    geometry_ = {.stride_h = options_.stride.h,
                 .stride_w = options_.stride.w,
                 .pad_h = options_.padding.h,
                 .pad_w = options_.padding.w,
                 .dilation_h = options_.dilation.h,
                 .dilation_w = options_.dilation.w,
                 .groups = options_.groups};
    const std::int64_t group_channels = options_.in_channels / options_.groups;
    weight_ = register_parameter(
        "weight", Tensor::empty({options_.out_channels, group_channels, options_.kernel.h, options_.kernel.w}));
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0));
    if (!options_.bias) return;
    bias_ = register_parameter("bias", Tensor::empty({options_.out_channels}));
    const double bound = 1.0 / std::sqrt(static_cast<double>(group_channels * options_.kernel.h * options_.kernel.w));
    uniform_(bias_, -bound, bound);
}

Tensor Conv2d::forward(Tensor x) {
    check_image_input("Conv2d", x);
    RADIAL_CHECK(x.size(1) == options_.in_channels, "Conv2d: input has {} channels, weight expects {}", x.size(1),
                 options_.in_channels);
    return conv2d(x, weight_, bias_, geometry_);
}

std::shared_ptr<Conv2d> make_he_conv2d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel,
                                       std::int64_t stride) {
    auto layer = std::make_shared<Conv2d>(Conv2dOptions{.in_channels = in_channels,
                                                        .out_channels = out_channels,
                                                        .kernel = kernel,
                                                        .stride = stride,
                                                        .padding = kernel / 2,
                                                        .bias = false});
    init::kaiming_normal_(layer->weight(), std::sqrt(2.0), init::Fan::out);
    return layer;
}

}  // namespace radial
