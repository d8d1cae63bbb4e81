// Residual networks: one family, told apart by a table of widths and depths.
#pragma once

#include "radial/layers/conv_norm.h"
#include "radial/layers/sequential.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// What a residual network is made of. Every stage but the first halves the image in its first block.
struct ResNetOptions {
    enum class Block : std::uint8_t {
        basic,       ///< two 3x3 convolutions, the first strided; the stage's width is its channels
        bottleneck,  ///< 1x1, strided 3x3, 1x1 to four times the stage's width
    };
    enum class Shortcut : std::uint8_t {
        projection,  ///< where the shape changes, a strided 1x1 convolution and a batch norm (He's option B)
        zero_pad,    ///< every stride-th pixel, and zeros for the new channels on both sides (option A)
    };
    enum class Stem : std::uint8_t {
        small,  ///< 3x3 at the first stage's width, for 32x32 images
        large,  ///< 7x7 of stride 2, then a 3x3 max pool of stride 2
    };

    Block block = Block::basic;
    Shortcut shortcut = Shortcut::projection;
    Stem stem = Stem::large;
    std::vector<std::int64_t> depths = {2, 2, 2, 2};         ///< blocks of each stage
    std::vector<std::int64_t> widths = {64, 128, 256, 512};  ///< and their width
    std::int64_t in_channels = 3;
    /// The last batch norm of each block starts with scale 0, so that the block starts as its shortcut (Goyal et al.
    /// 2017, 5.1). Features start short then, which a kernel over distances needs.
    bool zero_init_residual = false;

    /// Channels of the last stage's result: the length of the feature.
    std::int64_t feature_dim() const;
};

/// The published networks: resnet20, 32, 44, 56 and 110 for CIFAR, with option A shortcuts (He et al. 2016, 4.2);
/// resnet18, 34, 50, 101 and 152 for ImageNet, the stride on a bottleneck's 3x3 as in torchvision; and the first three
/// of these, as wide and with projections, but with a small stem, as resnet18-cifar, resnet34-cifar and resnet50-cifar.
const std::vector<std::string>& resnet_names();
/// The options of one of them; empty for any other name.
std::optional<ResNetOptions> resnet_options(std::string_view name);

/// A residual block: relu(bn(conv(... x)) + shortcut(x)). Made by ResNet.
class ResNetBlock : public Layer {
public:
    ResNetBlock(const ResNetOptions& options, std::int64_t in_channels, std::int64_t width, std::int64_t stride);
    Tensor forward(Tensor x) override;
    bool is_segment() const override { return true; }

private:
    Tensor shortcut(const Tensor& x) const;

    std::int64_t in_channels_, out_channels_, stride_;
    std::vector<ConvNorm> convs_;
    std::shared_ptr<Sequential> downsample_;  ///< null without a projection
    ConvNorm projection_;                     ///< what it holds
};

/// A residual network (He et al. 2016, "Deep Residual Learning for Image Recognition") up to the feature, the mean of
/// the last stage's result over H and W. x [N, in_channels, H, W] to [N, feature_dim()].
/// Parameters and buffers are named as torchvision's: "conv1.weight", "bn1.bias", "layer1.0.conv1.weight",
/// "layer2.0.downsample.0.weight", ... Convolutions have no bias and start at N(0, 2 / fan_out).
class ResNet : public Layer {
public:
    using Options = ResNetOptions;

    /// Throws Error unless there are as many widths as depths, at least one, and all are at least 1.
    explicit ResNet(const ResNetOptions& options);
    /// Throws Error when x is not [N, in_channels, H, W].
    Tensor forward(Tensor x) override;
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    ResNetOptions options_;
    ConvNorm stem_;
    std::vector<std::shared_ptr<Sequential>> stages_;
};

}  // namespace radial
