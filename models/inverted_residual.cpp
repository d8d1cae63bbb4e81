// The inverted residual block of EfficientNet: its units, TensorFlow's padding, and the block.
#include "radial/models/inverted_residual.h"

#include "radial/core/ops.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace radial {
namespace {

constexpr std::int64_t squeeze_factor = 4;

}  // namespace

ConvNormUnitOptions conv_norm_of(const ConvNormStyle& style, ConvNormUnitOptions shape) {
    shape.pads = !style.same_padding || shape.stride == 1;
    shape.fan_per_group = true;
    shape.activation = Activation::silu;
    shape.epsilon = style.epsilon;
    shape.momentum = style.momentum;
    return shape;
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
    const auto add = [&](const char* name, const ConvNormUnitOptions& unit) {
        ConvNorm made = make_conv_norm_unit(unit);
        register_module(name, made.conv());
        register_module(fmt::format("bn{}", ++norms), made.norm());
        return made;
    };
    const auto unit = [&](const ConvNormUnitOptions& shape) { return conv_norm_of(options.style, shape); };
    if (expands_) expand_ = add("conv_pw", unit({.in_channels = options.in_channels, .out_channels = inner}));
    depthwise_ = add("conv_dw", unit({.in_channels = inner,
                                      .out_channels = inner,
                                      .kernel = options.kernel,
                                      .stride = options.stride,
                                      .groups = inner}));
    squeeze_ = register_module(
        "se", std::make_shared<SqueezeExcite>(SqueezeExciteOptions{
                  .channels = inner, .reduced = std::max<std::int64_t>(1, options.in_channels / squeeze_factor)}));
    initialise(*squeeze_);
    ConvNormUnitOptions last = unit({.in_channels = inner, .out_channels = options.out_channels});
    last.activation = Activation::none;
    project_ = add(expands_ ? "conv_pwl" : "conv_pw", last);
    if (shortcut_ && options.drop_connect > 0)
        drop_connect_ = register_module("drop_connect",
                                        std::make_shared<DropConnect>(DropConnectOptions{.p = options.drop_connect}));
}

Tensor InvertedResidual::forward(Tensor x) {
    const Tensor residual = shortcut_ ? x : Tensor();
    if (expands_) x = expand_.forward(x);
    x = squeeze_->forward(depthwise_.forward(pads_ ? pad_same(x, kernel_, stride_) : x));
    // If the branch is dropped for some images, the shortcut must be added after the drop.
    if (drop_connect_ == nullptr || !drop_connect_->training()) return project_.forward(x, residual);
    return drop_connect_->forward(project_.forward(x)) + residual;
}

}  // namespace radial
