// MobileNetV3: networks of inverted residual blocks that were searched for mobile phones.
#pragma once

#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/linear.h"
#include "radial/models/common.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// A block of MobileNetV3, a row of Table 1 or 2 of Howard et al. 2019.
struct MobileNetV3Row {
    std::int64_t kernel;    ///< height and width of the depthwise convolution
    std::int64_t expanded;  ///< channels inside the block; if equal to the input's, there is no expanding convolution
    std::int64_t channels;  ///< channels of the result
    bool squeeze;           ///< whether the block has squeeze-and-excitation
    Activation activation;  ///< after the convolutions except the last: relu or hard_swish
    std::int64_t stride;    ///< of the depthwise convolution
};

/// Options of MobileNetV3: a strided 3x3 stem, blocks, a 1x1 convolution, and a linear layer after the mean.
struct MobileNetV3Options {
    std::vector<MobileNetV3Row> rows;  ///< the blocks, before `width`
    std::int64_t stem_width = 16;      ///< channels of the stem, before `width`
    std::int64_t hidden = 1280;        ///< length of the feature, before `width`
    double width = 1;                  ///< multiplies every number of channels, which is rounded to a multiple of 8
    double dropout = 0;                ///< dropout probability of the feature, in [0, 1); 0.2 in the paper
    std::int64_t in_channels = 3;      ///< channels of the images
    double norm_epsilon = 1e-3, norm_momentum = 0.01;  ///< of the batch norms, see BatchNorm2dOptions

    /// The feature dimension: `hidden` times `width`, rounded.
    std::int64_t feature_dim() const;

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("dropout", self.dropout, "probability that dropout sets an element to 0, in [0, 1)");
        visit("norm-epsilon", self.norm_epsilon, "added to the variance in batch norms");
        visit("norm-momentum", self.norm_momentum, "weight of a batch in the running statistics of batch norms");
    }
};

/// The names of the published networks: mobilenet-v3-large and mobilenet-v3-small.
const std::vector<std::string>& mobilenet_names();
/// The options of a published network; empty for any other name.
std::optional<MobileNetV3Options> mobilenet_options(std::string_view name);

/// [1x1 convolution to `expanded` channels,] depthwise convolution, [squeeze-and-excitation to a quarter, with ReLU and
/// a hard sigmoid,] 1x1 convolution to `channels`. Each convolution has a norm, and all except the last have the row's
/// activation. x is added if the shape does not change. Created by MobileNetV3, which first scales the row's numbers of
/// channels by its `width`. Submodule: block, with parts "0" to "3" at most.
class MobileNetV3Block : public Layer {
public:
    /// Constructs the block for an input of `in_channels` channels.
    MobileNetV3Block(const MobileNetV3Options& options, std::int64_t in_channels, const MobileNetV3Row& row);
    /// Throws Error when x is not of rank 4 or has another number of channels.
    Tensor forward(Tensor x) override;
    bool is_segment() const override { return true; }

private:
    bool shortcut_;
    std::optional<ConvNorm> expand_;
    ConvNorm depthwise_, project_;
    std::shared_ptr<SqueezeExcite> squeeze_;  ///< null without squeeze-and-excitation
};

/// MobileNetV3 (Howard et al. 2019, "Searching for MobileNetV3") without the classifier. The feature is hard_swish of a
/// linear layer on the mean of the last convolution's result over H and W. x [N, in_channels, H, W]; the result is [N,
/// feature_dim()]. Parameters and buffers are named as torchvision's: "features.0.0.weight",
/// "features.1.block.0.1.bias", "features.4.block.2.fc1.weight", "classifier.0.weight" and so on. The initial weights
/// of convolutions are from N(0, 2 / (out_channels * kernel^2)), those of the linear layer from N(0, 0.01^2), and
/// biases are 0.
class MobileNetV3 : public Layer {
public:
    using Options = MobileNetV3Options;  ///< for Sequential::add()

    /// Throws Error when there are no rows, a count is below 1, width is not above 0 or dropout is outside [0, 1),
    /// and as BatchNorm2d does.
    explicit MobileNetV3(const MobileNetV3Options& options);
    /// Throws Error when x is not [N, in_channels, H, W].
    Tensor forward(Tensor x) override;
    /// The feature dimension.
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    MobileNetV3Options options_;
    ConvNorm stem_, last_;
    std::vector<std::shared_ptr<MobileNetV3Block>> blocks_;
    std::shared_ptr<Linear> hidden_;
    std::shared_ptr<Dropout> dropout_;
};

}  // namespace radial
