// Residual networks: a family of networks that differ in width and depth.
#pragma once

#include "radial/layers/conv.h"
#include "radial/layers/sequential.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Options of ResNet. Every stage but the first halves the image in its first block.
struct ResNetOptions {
    /// The layers of a block.
    enum class Block : std::uint8_t {
        basic,       ///< two 3x3 convolutions, the first strided, with the stage's width
        bottleneck,  ///< 1x1, strided 3x3, and 1x1 to four times the stage's width
    };
    /// The shortcut of a block that changes the shape.
    enum class Shortcut : std::uint8_t {
        projection,  ///< a strided 1x1 convolution and a batch norm (He's option B)
        zero_pad,    ///< every stride-th pixel, with zeros for the new channels on both sides (option A)
    };
    /// The layers before the first stage.
    enum class Stem : std::uint8_t {
        small,  ///< 3x3 with the first stage's width, for 32x32 images
        large,  ///< 7x7 with stride 2, then a 3x3 max pool with stride 2
    };

    Block block = Block::basic;                              ///< layers of a block
    Shortcut shortcut = Shortcut::projection;                ///< shortcut where the shape changes
    Stem stem = Stem::large;                                 ///< small for 32x32 images, large for larger ones
    std::vector<std::int64_t> depths = {2, 2, 2, 2};         ///< number of blocks of each stage
    std::vector<std::int64_t> widths = {64, 128, 256, 512};  ///< width of each stage
    std::int64_t in_channels = 3;                            ///< channels of the images
    /// Initialises the scale of the last batch norm of each block to 0, so that each block initially computes only its
    /// shortcut (Goyal et al. 2017, 5.1). The features are then short at first, as a loss with a kernel of distances
    /// requires.
    bool zero_init_residual = false;

    /// The feature dimension: the number of channels of the last stage's result.
    std::int64_t feature_dim() const;

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("zero-init-residual", self.zero_init_residual,
              "initialise each block so that it computes only its shortcut");
    }
};

/// The names of the networks. For CIFAR, with option A shortcuts: resnet20, 32, 44, 56 and 110 (He et al. 2016, 4.2).
/// For ImageNet, with the stride in a bottleneck's 3x3 convolution, as in torchvision: resnet18, 34, 50, 101 and 152.
/// For CIFAR, resnet18-cifar, resnet34-cifar and resnet50-cifar are resnet18, 34 and 50 with a small stem.
const std::vector<std::string>& resnet_names();
/// The options of one of these networks; empty for any other name.
std::optional<ResNetOptions> resnet_options(std::string_view name);

/// A residual block: relu(bn(conv(... x)) + shortcut(x)). Created by ResNet.
class ResNetBlock : public Layer {
public:
    /// Constructs a block from `in_channels` channels to the stage's `width`, or to four times `width` for a
    /// bottleneck.
    ResNetBlock(const ResNetOptions& options, std::int64_t in_channels, std::int64_t width, std::int64_t stride);
    Tensor forward(Tensor x) override;
    bool is_segment() const override { return true; }

private:
    Tensor shortcut(const Tensor& x) const;

    std::int64_t in_channels_, out_channels_, stride_;
    std::vector<ConvNorm> convs_;
    std::shared_ptr<Sequential> downsample_;  ///< null without a projection
    ConvNorm projection_;                     ///< the projection in downsample_
};

/// A residual network (He et al. 2016, "Deep Residual Learning for Image Recognition") without the classifier. The
/// feature is the mean of the last stage's result over H and W. x [N, in_channels, H, W]; the result is [N,
/// feature_dim()]. Parameters and buffers are named as torchvision's: "conv1.weight", "bn1.bias",
/// "layer1.0.conv1.weight", "layer2.0.downsample.0.weight" and so on. Convolutions have no bias and initial weights
/// from N(0, 2 / fan_out).
class ResNet : public Layer {
public:
    using Options = ResNetOptions;  ///< for Sequential::add()

    /// Throws Error unless there are as many widths as depths, at least one of each, and all of them and in_channels
    /// are at least 1.
    explicit ResNet(const ResNetOptions& options);
    /// Throws Error when x is not [N, in_channels, H, W].
    Tensor forward(Tensor x) override;
    /// The feature dimension.
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    ResNetOptions options_;
    ConvNorm stem_;
    std::vector<std::shared_ptr<Sequential>> stages_;
};

}  // namespace radial
