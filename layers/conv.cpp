// Convolutions and pooling: checks, initial weights, calls of their ops, and convolutions with folded norms.
#include "radial/layers/conv.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/nn/initialize.h"
#include "radial/core/ops.h"
#include "radial/core/ops/conv.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/common.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

namespace radial {
namespace {

/// Applies a 1x1 convolution to x [N, C], which is treated as N images of one pixel.
Tensor on_pixels(const Conv2d& conv, const Tensor& x) {
    const Tensor& weight = conv.weight();
    return linear(x, reshape(weight, {weight.size(0), weight.size(1)}), conv.bias());
}

}  // namespace

Conv2d::Conv2d(const Conv2dOptions& options) : options_(options) {
    check_convolution("Conv2d", options_);
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
    init::bias_uniform_(bias_, group_channels * options_.kernel.h * options_.kernel.w);
}

Tensor Conv2d::forward(Tensor x) {
    check_image_input("Conv2d", x);
    check_channels("Conv2d", x, options_.in_channels);
    return conv2d(x, weight_, bias_, geometry_);
}

Conv1d::Conv1d(const Conv1dOptions& options) : options_(options) {
    const Conv1dOptions& o = options_;
    check_groups("Conv1d", o.in_channels, o.out_channels, o.groups);
    RADIAL_CHECK(o.kernel >= 1 && o.stride >= 1 && o.dilation >= 1,
                 "Conv1d: kernel {}, stride {} and dilation {} must each be at least 1", o.kernel, o.stride,
                 o.dilation);
    RADIAL_CHECK(o.padding >= 0, "Conv1d: padding is {}, expected at least 0", o.padding);
    const std::int64_t group_channels = o.in_channels / o.groups;
    weight_ = register_parameter("weight", Tensor::empty({o.out_channels, group_channels, o.kernel}));
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0));
    if (!o.bias) return;
    bias_ = register_parameter("bias", Tensor::empty({o.out_channels}));
    init::bias_uniform_(bias_, group_channels * o.kernel);
}

Tensor Conv1d::forward(Tensor x) {
    check_input("Conv1d", x);
    RADIAL_CHECK(x.rank() == 3, "Conv1d: input has shape {}, expected [N, C, L]", x.shape().str());
    check_channels("Conv1d", x, options_.in_channels);
    return conv1d(
        x, weight_, bias_,
        {.stride = options_.stride, .pad = options_.padding, .dilation = options_.dilation, .groups = options_.groups});
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

/// The folded weights, and the identities and versions of the tensors they were computed from, by which changes are
/// detected.
struct ConvNorm::Folded {
    struct Source {
        const void* data = nullptr;
        std::uint64_t version = 0;
        friend bool operator==(const Source&, const Source&) = default;
    };
    std::array<Source, 6> sources{};
    Tensor weight, bias;

    static Source source_of(const Tensor& x) { return x.defined() ? Source{x.raw(), x.version()} : Source{}; }
    void refresh(const Conv2d& conv, const BatchNorm2d& norm) {
        const std::array<Source, 6> now{source_of(conv.weight()),       source_of(conv.bias()),
                                        source_of(norm.weight()),       source_of(norm.bias()),
                                        source_of(norm.running_mean()), source_of(norm.running_var())};
        if (weight.defined() && now == sources) return;
        const Tensor factor = norm.weight() / sqrt(norm.running_var() + norm.options().epsilon);
        const Tensor offset = conv.bias().defined() ? conv.bias() - norm.running_mean() : -norm.running_mean();
        weight = conv.weight() * reshape(factor, {factor.numel(), 1, 1, 1});
        bias = norm.bias() + offset * factor;
        sources = now;
    }
};

ConvNorm::ConvNorm(std::shared_ptr<Conv2d> conv, std::shared_ptr<BatchNorm2d> norm)
    : conv_(std::move(conv)), norm_(std::move(norm)), folded_(std::make_shared<Folded>()) {
    RADIAL_CHECK(conv_ != nullptr && norm_ != nullptr, "ConvNorm: the convolution or the norm is null");
    RADIAL_CHECK(conv_->weight().size(0) == norm_->options().channels,
                 "ConvNorm: the convolution gives {} channels, the norm takes {}", conv_->weight().size(0),
                 norm_->options().channels);
}

Tensor ConvNorm::forward(const Tensor& x, const Tensor& residual) const {
    if (norm_->training() || !may_fuse()) return norm_->forward(conv_->forward(x), residual);
    check_image_input("ConvNorm", x);
    folded_->refresh(*conv_, *norm_);
    return conv2d_activated(x, folded_->weight, folded_->bias, conv_->geometry(), norm_->options().activation,
                            residual);
}

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
    check_channels("SqueezeExcite", x, options_.channels);
    const Tensor reduced = activated(on_pixels(*conv_reduce_, global_avg_pool(x)), options_.activation);
    const Tensor excited = on_pixels(*conv_expand_, reduced);
    const bool hard = options_.gate == SqueezeExciteOptions::Gate::hard_sigmoid;
    return scale_channels(std::move(x), hard ? hard_sigmoid(excited) : sigmoid(excited));
}

namespace {

PoolGeometry checked_geometry(std::string_view layer, const Pool2dOptions& o) {
    const Size2d stride = o.stride.value_or(o.window);
    check_size(layer, "window", o.window);
    check_size(layer, "stride", stride);
    // A window that lies wholly in the padding would have no value.
    RADIAL_CHECK(o.padding.h >= 0 && o.padding.w >= 0 && 2 * o.padding.h <= o.window.h && 2 * o.padding.w <= o.window.w,
                 "{}: padding is {} x {}, expected 0 to half the window {} x {}", layer, o.padding.h, o.padding.w,
                 o.window.h, o.window.w);
    return {.window_h = o.window.h,
            .window_w = o.window.w,
            .stride_h = stride.h,
            .stride_w = stride.w,
            .pad_h = o.padding.h,
            .pad_w = o.padding.w};
}

}  // namespace

MaxPool2d::MaxPool2d(const Pool2dOptions& options) : geometry_(checked_geometry("MaxPool2d", options)) {}

Tensor MaxPool2d::forward(Tensor x) {
    check_image_input("MaxPool2d", x);
    return max_pool2d(x, geometry_);
}

AvgPool2d::AvgPool2d(const Pool2dOptions& options) : geometry_(checked_geometry("AvgPool2d", options)) {}

Tensor AvgPool2d::forward(Tensor x) {
    check_image_input("AvgPool2d", x);
    return avg_pool2d(x, geometry_);
}

AdaptiveAvgPool2d::AdaptiveAvgPool2d(const AdaptivePool2dOptions& options) : options_(options) {
    check_size("AdaptiveAvgPool2d", "size", options_.size);
}

Tensor AdaptiveAvgPool2d::forward(Tensor x) {
    check_image_input("AdaptiveAvgPool2d", x);
    return adaptive_avg_pool2d(x, options_.size.h, options_.size.w);
}

AdaptiveMaxPool2d::AdaptiveMaxPool2d(const AdaptivePool2dOptions& options) : options_(options) {
    check_size("AdaptiveMaxPool2d", "size", options_.size);
}

Tensor AdaptiveMaxPool2d::forward(Tensor x) {
    check_image_input("AdaptiveMaxPool2d", x);
    return adaptive_max_pool2d(x, options_.size.h, options_.size.w);
}

Tensor GlobalAvgPool::forward(Tensor x) {
    check_image_input("GlobalAvgPool", x);
    return global_avg_pool(x);
}

}  // namespace radial
