// EfficientNet: the published networks and the network itself.
#include "radial/models/efficientnet.h"

#include "radial/core/ops.h"
#include "radial/layers/activation.h"
#include "radial/models/common.h"
#include "radial/models/inverted_residual.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {
namespace {

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
    stem_ = make_conv_norm_unit(conv_norm_of(
        style,
        {.in_channels = options_.in_channels, .out_channels = channels, .kernel = stem_kernel, .stride = stem_stride}));
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
    head_ = make_conv_norm_unit(conv_norm_of(style, {.in_channels = channels, .out_channels = feature_dim()}));
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
