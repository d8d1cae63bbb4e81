// SqueezeExcite: checks, and the 1x1 convolutions as the matrix products that they are on one pixel.
#include "radial/layers/squeeze_excite.h"

#include "radial/core/ops.h"
#include "radial/layers/input_check.h"

#include <utility>

namespace radial {
namespace {

/// A 1x1 convolution of [N, C], images of one pixel.
Tensor on_pixels(const Conv2d& conv, const Tensor& x) {
    const Tensor& weight = conv.weight();
    return linear(x, reshape(weight, {weight.size(0), weight.size(1)}), conv.bias());
}

}  // namespace

SqueezeExcite::SqueezeExcite(const SqueezeExciteOptions& options) : options_(options) {
    RADIAL_CHECK(options_.channels >= 1 && options_.reduced >= 1,
                 "SqueezeExcite: channels {} and reduced {} must each be at least 1", options_.channels,
                 options_.reduced);
    const auto make = [](std::int64_t in, std::int64_t out) {
        return std::make_shared<Conv2d>(Conv2dOptions{.in_channels = in, .out_channels = out, .kernel = 1});
    };
    conv_reduce_ = register_module("conv_reduce", make(options_.channels, options_.reduced));
    conv_expand_ = register_module("conv_expand", make(options_.reduced, options_.channels));
}

Tensor SqueezeExcite::forward(Tensor x) {
    check_image_input("SqueezeExcite", x);
    RADIAL_CHECK(x.size(1) == options_.channels, "SqueezeExcite: input has {} channels, weight expects {}", x.size(1),
                 options_.channels);
    const Tensor gate = sigmoid(on_pixels(*conv_expand_, silu(on_pixels(*conv_reduce_, global_avg_pool(x)))));
    return scale_channels(std::move(x), gate);
}

}  // namespace radial
