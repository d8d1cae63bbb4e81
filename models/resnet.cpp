// The table of residual networks, their block, and the network.
#include "radial/models/resnet.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/models/common.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace radial {
namespace {

using Block = ResNetOptions::Block;
using Shortcut = ResNetOptions::Shortcut;
using Stem = ResNetOptions::Stem;

constexpr std::int64_t bottleneck_expansion = 4;

enum class Kind : std::uint8_t { narrow_cifar, cifar, imagenet };

/// One network of the table: the depths of its stages; `kind` determines the rest.
struct Entry {
    std::string name;
    Block block;
    std::vector<std::int64_t> depths;
    Kind kind;
};

const std::vector<Entry>& table() {
    static const std::vector<Entry> entries = {
        {"resnet20", Block::basic, {3, 3, 3}, Kind::narrow_cifar},
        {"resnet32", Block::basic, {5, 5, 5}, Kind::narrow_cifar},
        {"resnet44", Block::basic, {7, 7, 7}, Kind::narrow_cifar},
        {"resnet56", Block::basic, {9, 9, 9}, Kind::narrow_cifar},
        {"resnet110", Block::basic, {18, 18, 18}, Kind::narrow_cifar},
        {"resnet18", Block::basic, {2, 2, 2, 2}, Kind::imagenet},
        {"resnet34", Block::basic, {3, 4, 6, 3}, Kind::imagenet},
        {"resnet50", Block::bottleneck, {3, 4, 6, 3}, Kind::imagenet},
        {"resnet101", Block::bottleneck, {3, 4, 23, 3}, Kind::imagenet},
        {"resnet152", Block::bottleneck, {3, 8, 36, 3}, Kind::imagenet},
        {"resnet18-cifar", Block::basic, {2, 2, 2, 2}, Kind::cifar},
        {"resnet34-cifar", Block::basic, {3, 4, 6, 3}, Kind::cifar},
        {"resnet50-cifar", Block::bottleneck, {3, 4, 6, 3}, Kind::cifar},
    };
    return entries;
}

std::int64_t expansion(Block block) { return block == Block::bottleneck ? bottleneck_expansion : 1; }

std::shared_ptr<BatchNorm2d> norm(std::int64_t channels, Activation activation) {
    return std::make_shared<BatchNorm2d>(BatchNorm2dOptions{.channels = channels, .activation = activation});
}

/// Every stride-th pixel of x, with zero channels on both sides to give `channels` in total.
Tensor subsample_and_pad(const Tensor& x, std::int64_t channels, std::int64_t stride) {
    // The mean over a window of one pixel is the pixel itself.
    const Tensor pixels =
        stride == 1 ? x : avg_pool2d(x, {.window_h = 1, .window_w = 1, .stride_h = stride, .stride_w = stride});
    const std::int64_t missing = channels - pixels.size(1), before = missing / 2;
    if (missing == 0) return pixels;
    const auto zeros = [&](std::int64_t count) {
        const Tensor block = Tensor::empty({pixels.size(0), count, pixels.size(2), pixels.size(3)}, pixels.dtype(),
                                           pixels.device(), pixels.layout());
        block.fill_(0);
        return block;
    };
    return concat({zeros(before), pixels, zeros(missing - before)}, 1);
}

void check(const ResNetOptions& options) {
    const auto positive = [](const std::vector<std::int64_t>& numbers) {
        return std::all_of(numbers.begin(), numbers.end(), [](std::int64_t n) { return n >= 1; });
    };
    RADIAL_CHECK(!options.depths.empty() && options.depths.size() == options.widths.size() &&
                     positive(options.depths) && positive(options.widths) && options.in_channels >= 1,
                 "ResNet: depths {}, widths {} and in_channels {}, expected as many widths as depths, all at least 1",
                 fmt::format("[{}]", fmt::join(options.depths, ", ")),
                 fmt::format("[{}]", fmt::join(options.widths, ", ")), options.in_channels);
}

}  // namespace

std::int64_t ResNetOptions::feature_dim() const { return widths.back() * expansion(block); }

const std::vector<std::string>& resnet_names() {
    static const std::vector<std::string> names = names_of(table());
    return names;
}

std::optional<ResNetOptions> resnet_options(std::string_view name) {
    for (const Entry& entry : table()) {
        if (entry.name != name) continue;
        ResNetOptions options{.block = entry.block, .depths = entry.depths};
        if (entry.kind != Kind::imagenet) options.stem = Stem::small;
        if (entry.kind == Kind::narrow_cifar) {
            options.shortcut = Shortcut::zero_pad;
            options.widths = {16, 32, 64};
        }
        return options;
    }
    return std::nullopt;
}

ResNetBlock::ResNetBlock(const ResNetOptions& options, std::int64_t in_channels, std::int64_t width,
                         std::int64_t stride)
    : in_channels_(in_channels), out_channels_(width * expansion(options.block)), stride_(stride) {
    std::vector<std::shared_ptr<Conv2d>> convs;
    if (options.block == Block::basic) {
        convs = {make_he_conv2d(in_channels, width, 3, stride), make_he_conv2d(width, width, 3, 1)};
    } else {
        convs = {make_he_conv2d(in_channels, width, 1, 1), make_he_conv2d(width, width, 3, stride),
                 make_he_conv2d(width, out_channels_, 1, 1)};
    }
    for (std::size_t i = 0; i < convs.size(); ++i) {
        const bool last = i + 1 == convs.size();
        convs_.emplace_back(
            register_module(fmt::format("conv{}", i + 1), convs[i]),
            register_module(fmt::format("bn{}", i + 1), norm(last ? out_channels_ : width, Activation::relu)));
    }
    if (options.zero_init_residual) convs_.back().norm()->parameters().front().fill_(0);
    const bool reshapes = stride != 1 || in_channels != out_channels_;
    if (!reshapes || options.shortcut == Shortcut::zero_pad) return;
    downsample_ = register_module("downsample", std::make_shared<Sequential>());
    projection_ =
        ConvNorm(make_he_conv2d(in_channels, out_channels_, 1, stride), norm(out_channels_, Activation::none));
    downsample_->add(projection_.conv()).add(projection_.norm());
}

Tensor ResNetBlock::shortcut(const Tensor& x) const {
    if (downsample_ != nullptr) return projection_.forward(x);
    return subsample_and_pad(x, out_channels_, stride_);
}

Tensor ResNetBlock::forward(Tensor x) {
    const Tensor residual = shortcut(x);
    for (std::size_t i = 0; i + 1 < convs_.size(); ++i) x = convs_[i].forward(x);
    return convs_.back().forward(x, residual);
}

ResNet::ResNet(const ResNetOptions& options) : options_(options) {
    check(options_);
    const bool large = options_.stem == Stem::large;
    std::int64_t channels = options_.widths.front();
    auto conv1 = register_module("conv1", make_he_conv2d(options_.in_channels, channels, large ? 7 : 3, large ? 2 : 1));
    stem_ = ConvNorm(std::move(conv1), register_module("bn1", norm(channels, Activation::relu)));
    for (std::size_t s = 0; s < options_.depths.size(); ++s) {
        auto stage = register_module(fmt::format("layer{}", s + 1), std::make_shared<Sequential>());
        for (std::int64_t i = 0; i < options_.depths[s]; ++i) {
            stage->add<ResNetBlock>(options_, channels, options_.widths[s], s > 0 && i == 0 ? 2 : 1);
            channels = options_.widths[s] * expansion(options_.block);
        }
        stages_.push_back(std::move(stage));
    }
}

Tensor ResNet::forward(Tensor x) {
    RADIAL_CHECK(x.defined() && x.rank() == 4 && x.size(1) == options_.in_channels,
                 "ResNet: input {}, expected [N, {}, H, W]",
                 x.defined() ? "has shape " + x.shape().str() : "is undefined", options_.in_channels);
    x = stem_.forward(x);
    if (options_.stem == Stem::large)
        x = max_pool2d(x, {.window_h = 3, .window_w = 3, .stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1});
    for (const auto& stage : stages_) x = stage->forward(std::move(x));
    return global_avg_pool(x);
}

}  // namespace radial
