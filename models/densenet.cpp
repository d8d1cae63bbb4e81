// The table of densely connected networks, and the network.
#include "radial/models/densenet.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/layers/activation.h"
#include "radial/models/common.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace radial {
namespace {

using Stem = DenseNetOptions::Stem;

constexpr std::int64_t bottleneck_factor = 4;

struct Entry {
    std::string name;
    DenseNetOptions options;
};

DenseNetOptions imagenet(std::vector<std::int64_t> depths, std::int64_t growth) {
    return {.depths = std::move(depths), .growth = growth, .stem_width = 2 * growth};
}

/// Options with three blocks of equal depth; `depth` counts every convolution and the classifier.
DenseNetOptions cifar(std::int64_t depth, std::int64_t growth, bool bottleneck) {
    const std::int64_t layers = (depth - 4) / (bottleneck ? 6 : 3);
    return {.depths = {layers, layers, layers},
            .growth = growth,
            .stem_width = bottleneck ? 2 * growth : 16,
            .stem = Stem::small,
            .bottleneck = bottleneck,
            .compression = bottleneck ? 0.5 : 1};
}

const std::vector<Entry>& table() {
    static const std::vector<Entry> entries = {
        {"densenet121", imagenet({6, 12, 24, 16}, 32)}, {"densenet169", imagenet({6, 12, 32, 32}, 32)},
        {"densenet201", imagenet({6, 12, 48, 32}, 32)}, {"densenet161", imagenet({6, 12, 36, 24}, 48)},
        {"densenet-40-12", cifar(40, 12, false)},       {"densenet-bc-100-12", cifar(100, 12, true)},
        {"densenet-bc-190-40", cifar(190, 40, true)},
    };
    return entries;
}

std::int64_t compressed(const DenseNetOptions& options, std::int64_t channels) {
    return static_cast<std::int64_t>(static_cast<double>(channels) * options.compression);
}

std::shared_ptr<BatchNorm2d> norm(std::int64_t channels) {
    return std::make_shared<BatchNorm2d>(BatchNorm2dOptions{.channels = channels, .activation = Activation::relu});
}

void check(const DenseNetOptions& o) {
    const bool deep = !o.depths.empty() && std::all_of(o.depths.begin(), o.depths.end(), [](auto n) { return n >= 1; });
    RADIAL_CHECK(deep && o.growth >= 1 && o.stem_width >= 1 && o.in_channels >= 1,
                 "DenseNet: depths {}, growth {}, stem_width {} and in_channels {} must each be at least 1",
                 fmt::format("[{}]", fmt::join(o.depths, ", ")), o.growth, o.stem_width, o.in_channels);
    RADIAL_CHECK(o.compression > 0 && o.compression <= 1, "DenseNet: compression is {}, expected above 0 and at most 1",
                 o.compression);
    RADIAL_CHECK(o.dropout >= 0 && o.dropout < 1, "DenseNet: dropout is {}, expected at least 0 and below 1",
                 o.dropout);
}

}  // namespace

std::int64_t DenseNetOptions::feature_dim() const {
    std::int64_t channels = stem_width;
    for (std::size_t b = 0; b < depths.size(); ++b)
        channels = (b == 0 ? channels : compressed(*this, channels)) + depths[b] * growth;
    return channels;
}

const std::vector<std::string>& densenet_names() {
    static const std::vector<std::string> names = names_of(table());
    return names;
}

std::optional<DenseNetOptions> densenet_options(std::string_view name) {
    for (const Entry& entry : table())
        if (entry.name == name) return entry.options;
    return std::nullopt;
}

DenseNet::DenseNet(const DenseNetOptions& options) : options_(options) {
    check(options_);
    const bool large = options_.stem == Stem::large;
    features_ = register_module("features", std::make_shared<Group>());
    std::int64_t channels = options_.stem_width;
    conv0_ = features_->register_module("conv0",
                                        make_he_conv2d(options_.in_channels, channels, large ? 7 : 3, large ? 2 : 1));
    if (large) stem_ = {conv0_, features_->register_module("norm0", norm(channels))};
    for (std::size_t b = 0; b < options_.depths.size(); ++b) {
        if (b > 0) {
            const auto group = features_->register_module(fmt::format("transition{}", b), std::make_shared<Group>());
            const std::int64_t next = compressed(options_, channels);
            RADIAL_CHECK(next >= 1, "DenseNet: compression {} leaves none of {} channels", options_.compression,
                         channels);
            transitions_.push_back(
                {group->register_module("norm", norm(channels)),
                 group->register_module("conv", make_he_conv2d(channels, next, 1, 1)),
                 group->register_module("dropout", std::make_shared<Dropout>(DropoutOptions{.p = options_.dropout}))});
            channels = next;
        }
        const DenseBlockOptions block{.in_channels = channels,
                                      .layers = options_.depths[b],
                                      .growth = options_.growth,
                                      .bottleneck = options_.bottleneck ? bottleneck_factor * options_.growth : 0,
                                      .dropout = options_.dropout};
        blocks_.push_back(
            features_->register_module(fmt::format("denseblock{}", b + 1), std::make_shared<DenseBlock>(block)));
        channels = block.out_channels();
    }
    norm5_ = features_->register_module("norm5", norm(channels));
}

Tensor DenseNet::forward(Tensor x) {
    RADIAL_CHECK(x.defined() && x.rank() == 4 && x.size(1) == options_.in_channels,
                 "DenseNet: input {}, expected [N, {}, H, W]",
                 x.defined() ? "has shape " + x.shape().str() : "is undefined", options_.in_channels);
    if (options_.stem == Stem::large) {
        x = max_pool2d(stem_.forward(x),
                       {.window_h = 3, .window_w = 3, .stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1});
    } else {
        x = conv0_->forward(std::move(x));
    }
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
        if (b > 0) {
            const Transition& transition = transitions_[b - 1];
            x = transition.norm->forward(std::move(x));
            // A 1x1 convolution and an average pool commute, and pooling first takes a quarter of the arithmetic. This
            // does not hold with dropout between the two, and observed ops must be those of the published order.
            const bool means_first = !ops_observed() && (options_.dropout == 0 || !training());
            x = transition.conv->forward(means_first ? avg_pool2d(x) : x);
            if (!means_first) x = avg_pool2d(transition.dropout->forward(std::move(x)));
        }
        x = blocks_[b]->forward(std::move(x));
    }
    return global_avg_pool(norm5_->forward(std::move(x)));
}

}  // namespace radial
