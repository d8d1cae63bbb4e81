// EfficientNet: a family of networks that are scaled in width and depth from the first one.
#pragma once

#include "radial/layers/conv.h"
#include "radial/layers/sequential.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// A stage: `repeats` blocks with a depthwise convolution of `kernel` x `kernel`, `expansion` times as many channels
/// inside a block as at its input, and `channels` channels in the result. The first block has the given `stride`, the
/// others 1.
struct EfficientNetStage {
    std::int64_t kernel, stride, expansion, channels, repeats;  ///< see EfficientNetStage
};

/// Options of EfficientNet: a strided 3x3 stem, stages of inverted residual blocks, and a 1x1 head.
struct EfficientNetOptions {
    double width = 1;  ///< multiplies every number of channels, which is then rounded to a multiple of 8
    double depth = 1;  ///< multiplies the repeats of every stage, rounded up
    /// Dropout probability of the feature, in [0, 1). The paper uses 0.2 for B0 and B1, 0.3 for B2 and B3, 0.4 for B4
    /// and B5, 0.5 for B6 and B7.
    double dropout = 0;
    /// Drop-connect probability, in [0, 1). For the branch of block i of n, counted from 0, it is multiplied by i / n.
    /// The paper uses 0.2.
    double drop_connect = 0;
    std::int64_t stem_width = 32;    ///< channels of the stem, before `width`
    std::int64_t head_width = 1280;  ///< channels of the head, before `width`
    /// The stages, before `width` and `depth`: stages 2 to 8 of Table 1 of Tan & Le 2019.
    std::vector<EfficientNetStage> stages = {{3, 1, 1, 16, 1},  {3, 2, 6, 24, 2},  {5, 2, 6, 40, 2}, {3, 2, 6, 80, 3},
                                             {5, 1, 6, 112, 3}, {5, 2, 6, 192, 4}, {3, 1, 6, 320, 1}};
    std::int64_t in_channels = 3;                     ///< channels of the images
    double norm_epsilon = 1e-5, norm_momentum = 0.1;  ///< of the batch norms, see BatchNorm2dOptions
    /// Pads the input of strided convolutions with as many zeros as give ceil(H / stride) rows and ceil(W / stride)
    /// columns. If the number of zeros in a dimension is odd, the additional zero is below or to the right, as in
    /// TensorFlow. If false, every side is padded by half the kernel, as in PyTorch.
    bool same_padding = false;

    /// The feature dimension: the number of channels of the head.
    std::int64_t feature_dim() const;

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("dropout", self.dropout, "probability that dropout sets an element to 0, in [0, 1)");
        visit("drop-connect", self.drop_connect, "probability that a block's branch is dropped, in [0, 1)");
        visit("norm-epsilon", self.norm_epsilon, "added to the variance in batch norms");
        visit("norm-momentum", self.norm_momentum, "weight of a batch in the running statistics of batch norms");
    }
};

/// The names of the published networks: efficientnet-b0 to efficientnet-b7 (Tan & Le 2019), and tf-efficientnet-b0 to
/// tf-efficientnet-b7, the same networks as TensorFlow computes them (timm's tf_efficientnet_b0 ...), with TensorFlow's
/// padding and an epsilon of 1e-3 in the batch norms.
const std::vector<std::string>& efficientnet_names();
/// The options of a published network; empty for any other name.
std::optional<EfficientNetOptions> efficientnet_options(std::string_view name);
/// The height and width of the images for which a published network is designed; 0 for any other name.
std::int64_t efficientnet_image(std::string_view name);

/// EfficientNet (Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks") without the
/// classifier. The feature is the mean of the head's result over H and W. x [N, in_channels, H, W]; the result is [N,
/// feature_dim()]. All activations are SiLU. Parameters and buffers are named as timm's: "conv_stem.weight",
/// "bn1.bias", "blocks.0.0.conv_dw.weight", "blocks.0.0.se.conv_reduce.bias", "blocks.1.0.conv_pw.weight",
/// "blocks.1.0.conv_pwl.weight", "conv_head.weight", "bn2.weight". The initial weights of convolutions are from N(0, 2
/// / fan_out), their biases are 0.
class EfficientNet : public Layer {
public:
    using Options = EfficientNetOptions;  ///< for Sequential::add()

    /// Throws Error when a count is below 1, width or depth is not above 0, or a probability is outside [0, 1), and as
    /// BatchNorm2d does.
    explicit EfficientNet(const EfficientNetOptions& options);
    /// Throws Error when x is not [N, in_channels, H, W].
    Tensor forward(Tensor x) override;
    /// The feature dimension.
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    EfficientNetOptions options_;
    ConvNorm stem_, head_;
    bool pads_;  ///< whether pad_same() pads the stem's input
    std::shared_ptr<Sequential> blocks_;
    std::shared_ptr<Layer> dropout_;
};

}  // namespace radial
