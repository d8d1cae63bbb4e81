// The ops of conv.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

#include <tuple>

namespace radial::test {
namespace {

Tensor call_conv2d(const GoldenCase& golden, const TensorMap& in) {
    const auto [stride_h, stride_w] = golden.pair("stride", 1);
    const auto [pad_h, pad_w] = golden.pair("pad", 0);
    const auto [dilation_h, dilation_w] = golden.pair("dilation", 1);
    return conv2d(input_of(in, "x"), input_of(in, "weight"), input_of(in, "bias"),
                  {.stride_h = stride_h,
                   .stride_w = stride_w,
                   .pad_h = pad_h,
                   .pad_w = pad_w,
                   .dilation_h = dilation_h,
                   .dilation_w = dilation_w,
                   .groups = golden.attributes.at("groups")});
}

template <Tensor (*op)(const Tensor&, const PoolGeometry&)>
Tensor pool(const GoldenCase& golden, const TensorMap& in) {
    const auto [window_h, window_w] = golden.pair("window", 2);
    const auto [stride_h, stride_w] = golden.pair("stride", 2);
    const auto [pad_h, pad_w] = golden.pair("pad", 0);
    return op(input_of(in, "x"), {.window_h = window_h,
                                  .window_w = window_w,
                                  .stride_h = stride_h,
                                  .stride_w = stride_w,
                                  .pad_h = pad_h,
                                  .pad_w = pad_w});
}

const std::string conv_fixture = "conv_ops.safetensors";

Tensor call_conv1d(const GoldenCase& golden, const TensorMap& in) {
    return conv1d(input_of(in, "x"), input_of(in, "weight"), input_of(in, "bias"),
                  {.stride = golden.attributes.value("stride", 1),
                   .pad = golden.attributes.value("pad", 0),
                   .dilation = golden.attributes.value("dilation", 1),
                   .groups = golden.attributes.value("groups", 1)});
}

Tensor call_conv_transpose2d(const GoldenCase& golden, const TensorMap& in) {
    const auto [stride_h, stride_w] = golden.pair("stride", 1);
    const auto [pad_h, pad_w] = golden.pair("pad", 0);
    const auto [more_h, more_w] = golden.pair("output_pad", 0);
    const auto [dilation_h, dilation_w] = golden.pair("dilation", 1);
    return conv_transpose2d(input_of(in, "x"), input_of(in, "weight"), input_of(in, "bias"),
                            {.stride_h = stride_h,
                             .stride_w = stride_w,
                             .pad_h = pad_h,
                             .pad_w = pad_w,
                             .output_pad_h = more_h,
                             .output_pad_w = more_w,
                             .dilation_h = dilation_h,
                             .dilation_w = dilation_w,
                             .groups = golden.attributes.value("groups", 1)});
}

UnfoldGeometry unfold_geometry(const GoldenCase& golden) {
    UnfoldGeometry g;
    std::tie(g.window_h, g.window_w) = golden.pair("window", 1);
    std::tie(g.stride_h, g.stride_w) = golden.pair("stride", 1);
    std::tie(g.pad_h, g.pad_w) = golden.pair("pad", 0);
    std::tie(g.dilation_h, g.dilation_w) = golden.pair("dilation", 1);
    return g;
}
Tensor call_unfold(const GoldenCase& golden, const TensorMap& in) {
    return unfold(input_of(in, "x"), unfold_geometry(golden));
}
Tensor call_fold(const GoldenCase& golden, const TensorMap& in) {
    const auto [height, width] = golden.pair("size", 1);
    return fold(input_of(in, "x"), height, width, unfold_geometry(golden));
}

template <Tensor (*op)(const Tensor&, std::int64_t, std::int64_t)>
Tensor adaptive(const GoldenCase& golden, const TensorMap& in) {
    const auto [height, width] = golden.pair("size", 1);
    return op(input_of(in, "x"), height, width);
}

Tensor call_interpolate2d(const GoldenCase& golden, const TensorMap& in) {
    const std::string mode = golden.attributes.value("mode", "bilinear");
    InterpolateOptions options{.mode = mode == "nearest"   ? Interpolation::nearest
                                       : mode == "bicubic" ? Interpolation::bicubic
                                                           : Interpolation::bilinear,
                               .align_corners = golden.flag("align_corners", false)};
    if (golden.attributes.contains("scale")) {
        options.scale_h = golden.attributes.at("scale").at(0);
        options.scale_w = golden.attributes.at("scale").at(1);
    } else {
        std::tie(options.height, options.width) = golden.pair("size", 1);
    }
    return interpolate2d(input_of(in, "x"), options);
}

template <Tensor (*op)(const Tensor&, std::int64_t)>
Tensor shuffle(const GoldenCase& golden, const TensorMap& in) {
    return op(input_of(in, "x"), golden.attributes.at("factor"));
}

}  // namespace

const OpFamily& conv_ops() {
    static const OpFamily family = {
        custom(
            "scale_channels", 5,
            [](const GoldenCase&, const TensorMap& in) {
                return scale_channels(input_of(in, "x"), input_of(in, "scale"));
            },
            {.inputs = {{"x", image}, {"scale", {8, 32}}}}, "zoo_ops.safetensors"),
        custom("conv2d", 14, call_conv2d,
               {.inputs = {{"x", {8, 32, 28, 28}}, {"weight", {64, 32, 3, 3}}, {"bias", {64}}},
                .attributes = {{"pad", {1, 1}}, {"groups", 1}}}),
        custom("max_pool2d", 6, pool<max_pool2d>, of_image()),
        custom("avg_pool2d", 6, pool<avg_pool2d>, of_image()),
        unary("global_avg_pool", 4, global_avg_pool),
        custom("conv1d", 4, call_conv1d,
               {.inputs = {{"x", {8, 32, 200}}, {"weight", {48, 32, 5}}, {"bias", {48}}}, .attributes = {{"pad", 2}}},
               conv_fixture),
        custom("conv_transpose2d", 10, call_conv_transpose2d,
               {.inputs = {{"x", {8, 64, 28, 28}}, {"weight", {64, 32, 4, 4}}, {"bias", {32}}},
                .attributes = {{"stride", {2, 2}}, {"pad", {1, 1}}}},
               conv_fixture),
        custom("unfold", 4, call_unfold, of_image({{"window", {3, 3}}, {"pad", {1, 1}}}), conv_fixture),
        custom(
            "fold", 4, call_fold,
            {.inputs = {{"x", {8, 288, 784}}}, .attributes = {{"size", {28, 28}}, {"window", {3, 3}}, {"pad", {1, 1}}}},
            conv_fixture),
        custom("adaptive_avg_pool2d", 7, adaptive<adaptive_avg_pool2d>, of_image({{"size", {7, 5}}}), conv_fixture),
        custom("adaptive_max_pool2d", 7, adaptive<adaptive_max_pool2d>, of_image({{"size", {7, 5}}}), conv_fixture),
        custom("interpolate2d", 20, call_interpolate2d, of_image({{"size", {56, 56}}}), conv_fixture),
        custom("pixel_shuffle", 4, shuffle<pixel_shuffle>, of_image({{"factor", 2}}), conv_fixture),
        custom("pixel_unshuffle", 4, shuffle<pixel_unshuffle>, of_image({{"factor", 2}}), conv_fixture),
    };
    return family;
}

}  // namespace radial::test
