// The block's layers, their names and their first weights.
#include "radial/models/efficientnet_block.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {
namespace {

constexpr std::int64_t squeeze_factor = 4;

/// Weights at N(0, 2 / fan_out), biases at 0.
void start(const Module& convolutions, std::int64_t groups) {
    for (const Tensor& parameter : convolutions.parameters()) {
        if (parameter.rank() == 1) {
            parameter.fill_(0);
        } else {
            const std::int64_t fan_out = parameter.size(0) * parameter.size(2) * parameter.size(3) / groups;
            normal_(parameter, 0, std::sqrt(2.0 / static_cast<double>(fan_out)));
        }
    }
}

}  // namespace

ConvNorm make_conv_norm(const ConvNormShape& shape, const ConvNormStyle& style) {
    const bool padded_before = style.same_padding && shape.stride > 1;
    auto conv = std::make_shared<Conv2d>(Conv2dOptions{.in_channels = shape.in,
                                                       .out_channels = shape.out,
                                                       .kernel = shape.kernel,
                                                       .stride = shape.stride,
                                                       .padding = padded_before ? 0 : shape.kernel / 2,
                                                       .groups = shape.groups,
                                                       .bias = false});
    start(*conv, shape.groups);
    const Activation activation = shape.silu ? Activation::silu : Activation::none;
    return {
        std::move(conv),
        std::make_shared<BatchNorm2d>(BatchNorm2dOptions{
            .channels = shape.out, .momentum = style.momentum, .epsilon = style.epsilon, .activation = activation})};
}

Tensor pad_same(const Tensor& x, std::int64_t kernel, std::int64_t stride) {
    Tensor padded = x;
    for (const int dim : {2, 3}) {
        const std::int64_t extent = x.size(dim), results = (extent + stride - 1) / stride;
        const std::int64_t zeros = std::max<std::int64_t>(0, (results - 1) * stride + kernel - extent);
        const auto some = [&](std::int64_t count) {
            Shape shape = padded.shape();
            shape[dim] = count;
            return Tensor::zeros(shape, x.dtype(), x.device()).to(x.layout());
        };
        std::vector<Tensor> parts = {padded};
        if (zeros / 2 > 0) parts.insert(parts.begin(), some(zeros / 2));
        if (zeros > 0) parts.push_back(some(zeros - zeros / 2));
        if (parts.size() > 1) padded = concat(parts, dim);
    }
    return padded;
}

InvertedResidual::InvertedResidual(const InvertedResidualOptions& options)
    : shortcut_(options.stride == 1 && options.in_channels == options.out_channels),
      expands_(options.expansion > 1),
      kernel_(options.kernel),
      stride_(options.stride),
      pads_(options.style.same_padding && options.stride > 1) {
    const std::int64_t inner = options.in_channels * options.expansion;
    int norms = 0;
    const auto add = [&](const char* name, const ConvNormShape& shape) {
        ConvNorm made = make_conv_norm(shape, options.style);
        register_module(name, made.conv());
        register_module(fmt::format("bn{}", ++norms), made.norm());
        return made;
    };
    if (expands_) expand_ = add("conv_pw", {.in = options.in_channels, .out = inner});
    depthwise_ = add("conv_dw",
                     {.in = inner, .out = inner, .kernel = options.kernel, .stride = options.stride, .groups = inner});
    squeeze_ = register_module(
        "se", std::make_shared<SqueezeExcite>(SqueezeExciteOptions{
                  .channels = inner, .reduced = std::max<std::int64_t>(1, options.in_channels / squeeze_factor)}));
    start(*squeeze_, 1);
    project_ = add(expands_ ? "conv_pwl" : "conv_pw", {.in = inner, .out = options.out_channels, .silu = false});
    if (shortcut_ && options.drop_connect > 0)
        drop_connect_ = register_module("drop_connect",
                                        std::make_shared<DropConnect>(DropConnectOptions{.p = options.drop_connect}));
}

Tensor InvertedResidual::forward(Tensor x) {
    const Tensor residual = shortcut_ ? x : Tensor();
    if (expands_) x = expand_.forward(x);
    x = squeeze_->forward(depthwise_.forward(pads_ ? pad_same(x, kernel_, stride_) : x));
    // A branch that is dropped for some images cannot have the shortcut added before.
    if (drop_connect_ == nullptr || !drop_connect_->training()) return project_.forward(x, residual);
    return drop_connect_->forward(project_.forward(x)) + residual;
}

}  // namespace radial
