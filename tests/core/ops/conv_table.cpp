// The ops of conv.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

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
    };
    return family;
}

}  // namespace radial::test
