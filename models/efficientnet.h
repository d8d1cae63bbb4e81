// EfficientNet: one family, told apart by how wide and how deep the first is made.
#pragma once

#include "radial/layers/conv_norm.h"
#include "radial/layers/sequential.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Blocks of one kind, the first of which strides.
struct EfficientNetStage {
    std::int64_t kernel, stride, expansion, channels, repeats;
};

/// What an EfficientNet is made of: a strided 3x3 stem, stages of inverted residual blocks, and a 1x1 head.
struct EfficientNetOptions {
    double width = 1;  ///< every number of channels times this, rounded to a multiple of 8
    double depth = 1;  ///< every stage's repeats times this, rounded up
    /// Of the feature, in [0, 1). As published: 0.2 for B0 and B1, 0.3 for B2 and B3, 0.4 for B4 and B5, 0.5 for B6,
    /// B7.
    double dropout = 0;
    /// Of a block's branch, in [0, 1): this times the block's index, from 0, over the number of blocks. 0.2 as
    /// published.
    double drop_connect = 0;
    std::int64_t stem_width = 32;
    std::int64_t head_width = 1280;
    /// Table 1 of Tan & Le 2019, stages 2 to 8.
    std::vector<EfficientNetStage> stages = {{3, 1, 1, 16, 1},  {3, 2, 6, 24, 2},  {5, 2, 6, 40, 2}, {3, 2, 6, 80, 3},
                                             {5, 1, 6, 112, 3}, {5, 2, 6, 192, 4}, {3, 1, 6, 320, 1}};
    std::int64_t in_channels = 3;
    double norm_epsilon = 1e-5, norm_momentum = 0.1;  ///< of batch norms, as BatchNorm2dOptions
    /// Strided convolutions get as many zeros as give ceil(H / stride) results, an odd one below and to the right, as
    /// in TensorFlow; otherwise half a kernel on every side, as in PyTorch.
    bool same_padding = false;

    /// Channels of the head: the length of the feature.
    std::int64_t feature_dim() const;
};

/// The published networks: efficientnet-b0 to efficientnet-b7 (Tan & Le 2019), and tf-efficientnet-b0 to -b7, the same
/// as TensorFlow computes them, timm's tf_efficientnet_b0: with its padding and batch norms of epsilon 1e-3.
const std::vector<std::string>& efficientnet_names();
/// The options of one of them; empty for any other name.
std::optional<EfficientNetOptions> efficientnet_options(std::string_view name);
/// Height and width of the images that one of them was published for; 0 for any other name.
std::int64_t efficientnet_image(std::string_view name);

/// EfficientNet (Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks") up to the
/// feature, the mean of the head's result over H and W. x [N, in_channels, H, W] to [N, feature_dim()].
/// SiLU throughout.
/// Parameters and buffers are named as timm's: "conv_stem.weight", "bn1.bias", "blocks.0.0.conv_dw.weight",
/// "blocks.0.0.se.conv_reduce.bias", "blocks.1.0.conv_pw.weight", "blocks.1.0.conv_pwl.weight", "conv_head.weight",
/// "bn2.weight". Convolutions start at N(0, 2 / fan_out), their biases at 0.
class EfficientNet : public Layer {
public:
    using Options = EfficientNetOptions;

    /// Throws Error when a number is below 1, width or depth not above 0, a probability outside [0, 1), and as
    /// BatchNorm2d does.
    explicit EfficientNet(const EfficientNetOptions& options);
    /// Throws Error when x is not [N, in_channels, H, W].
    Tensor forward(Tensor x) override;
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    EfficientNetOptions options_;
    ConvNorm stem_, head_;
    bool pads_;  ///< the stem's input, by pad_same()
    std::shared_ptr<Sequential> blocks_;
    std::shared_ptr<Layer> dropout_;
};

}  // namespace radial
