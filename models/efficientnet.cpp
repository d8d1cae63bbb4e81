// EfficientNet: its inverted residual blocks, the published networks, and the network itself.
#include "radial/models/efficientnet.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/models/common.h"
#include "radial/models/efficientnet_block.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {
namespace {

constexpr std::int64_t squeeze_factor = 4;

/// Initialises weights from N(0, 2 / fan_out) and biases to 0.
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

struct Entry {
    std::string name;
    double width, depth;
    std::int64_t image;
};
const std::vector<Entry>& table() {
    static const std::vector<Entry> entries = {
        {"efficientnet-b0", 1.0, 1.0, 224}, {"efficientnet-b1", 1.0, 1.1, 240}, {"efficientnet-b2", 1.1, 1.2, 260},
        {"efficientnet-b3", 1.2, 1.4, 300}, {"efficientnet-b4", 1.4, 1.8, 380}, {"efficientnet-b5", 1.6, 2.2, 456},
        {"efficientnet-b6", 1.8, 2.6, 528}, {"efficientnet-b7", 2.0, 3.1, 600},
    };
    return entries;
}

constexpr std::string_view tensorflow_prefix = "tf-";
constexpr std::int64_t stem_kernel = 3, stem_stride = 2;

const Entry* find(std::string_view name) {
    if (name.starts_with(tensorflow_prefix)) name.remove_prefix(tensorflow_prefix.size());
    for (const Entry& entry : table())
        if (entry.name == name) return &entry;
    return nullptr;
}

std::int64_t scaled(const EfficientNetOptions& options, std::int64_t channels) {
    return rounded_channels(options.width * static_cast<double>(channels), 8);
}

std::int64_t repeats_of(const EfficientNetOptions& options, const EfficientNetStage& stage) {
    return static_cast<std::int64_t>(std::ceil(options.depth * static_cast<double>(stage.repeats)));
}

void check(const EfficientNetOptions& o) {
    RADIAL_CHECK(o.width > 0 && o.depth > 0, "EfficientNet: width {} and depth {} must each be above 0", o.width,
                 o.depth);
    RADIAL_CHECK(o.stem_width >= 1 && o.head_width >= 1 && o.in_channels >= 1,
                 "EfficientNet: stem_width {}, head_width {} and in_channels {} must each be at least 1", o.stem_width,
                 o.head_width, o.in_channels);
    for (std::size_t i = 0; i < o.stages.size(); ++i) {
        const EfficientNetStage& s = o.stages[i];
        RADIAL_CHECK(
            s.kernel >= 1 && s.stride >= 1 && s.expansion >= 1 && s.channels >= 1 && s.repeats >= 1,
            "EfficientNet: stage {} has kernel {}, stride {}, expansion {}, channels {} and repeats {}, expected "
            "each to be at least 1",
            i, s.kernel, s.stride, s.expansion, s.channels, s.repeats);
    }
    RADIAL_CHECK(o.dropout >= 0 && o.dropout < 1, "EfficientNet: dropout is {}, expected at least 0 and below 1",
                 o.dropout);
    RADIAL_CHECK(o.drop_connect >= 0 && o.drop_connect < 1,
                 "EfficientNet: drop_connect is {}, expected at least 0 and below 1", o.drop_connect);
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
    // If the branch is dropped for some images, the shortcut must be added after the drop.
    if (drop_connect_ == nullptr || !drop_connect_->training()) return project_.forward(x, residual);
    return drop_connect_->forward(project_.forward(x)) + residual;
}

std::int64_t EfficientNetOptions::feature_dim() const { return scaled(*this, head_width); }

const std::vector<std::string>& efficientnet_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all = names_of(table());
        for (const Entry& entry : table()) all.push_back(std::string(tensorflow_prefix) + entry.name);
        return all;
    }();
    return names;
}

std::optional<EfficientNetOptions> efficientnet_options(std::string_view name) {
    const Entry* const entry = find(name);
    if (entry == nullptr) return std::nullopt;
    EfficientNetOptions options{.width = entry->width, .depth = entry->depth};
    if (name.starts_with(tensorflow_prefix)) {
        options.norm_epsilon = 1e-3;
        options.norm_momentum = 0.01;
        options.same_padding = true;
    }
    return options;
}

std::int64_t efficientnet_image(std::string_view name) {
    const Entry* const entry = find(name);
    return entry == nullptr ? 0 : entry->image;
}

EfficientNet::EfficientNet(const EfficientNetOptions& options) : options_(options), pads_(options.same_padding) {
    check(options_);
    const ConvNormStyle style{options_.norm_epsilon, options_.norm_momentum, options_.same_padding};
    std::int64_t total = 0, index = 0, channels = scaled(options_, options_.stem_width);
    for (const EfficientNetStage& stage : options_.stages) total += repeats_of(options_, stage);
    stem_ = make_conv_norm({.in = options_.in_channels, .out = channels, .kernel = stem_kernel, .stride = stem_stride},
                           style);
    register_module("conv_stem", stem_.conv());
    register_module("bn1", stem_.norm());
    blocks_ = register_module("blocks", std::make_shared<Sequential>());
    for (const EfficientNetStage& stage : options_.stages) {
        const auto part = std::make_shared<Sequential>();
        for (std::int64_t i = 0; i < repeats_of(options_, stage); ++i, ++index) {
            const double rate = options_.drop_connect * static_cast<double>(index) / static_cast<double>(total);
            const InvertedResidualOptions block{.in_channels = channels,
                                                .out_channels = scaled(options_, stage.channels),
                                                .kernel = stage.kernel,
                                                .stride = i == 0 ? stage.stride : 1,
                                                .expansion = stage.expansion,
                                                .drop_connect = rate,
                                                .style = style};
            part->add<InvertedResidual>(block);
            channels = block.out_channels;
        }
        blocks_->add(part);
    }
    head_ = make_conv_norm({.in = channels, .out = feature_dim()}, style);
    register_module("conv_head", head_.conv());
    register_module("bn2", head_.norm());
    dropout_ = register_module("dropout", std::make_shared<Dropout>(DropoutOptions{.p = options_.dropout}));
}

Tensor EfficientNet::forward(Tensor x) {
    RADIAL_CHECK(x.defined() && x.rank() == 4 && x.size(1) == options_.in_channels,
                 "EfficientNet: input {}, expected [N, {}, H, W]",
                 x.defined() ? "has shape " + x.shape().str() : "is undefined", options_.in_channels);
    x = blocks_->forward(stem_.forward(pads_ ? pad_same(x, stem_kernel, stem_stride) : x));
    return dropout_->forward(global_avg_pool(head_.forward(x)));
}

}  // namespace radial
