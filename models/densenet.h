// DenseNet: a family of networks that differ in depth and growth rate.
#pragma once

#include "radial/layers/conv.h"
#include "radial/layers/dense_block.h"
#include "radial/models/common.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Options of DenseNet. Between two blocks there are a norm, a 1x1 convolution and a 2x2 average pool.
struct DenseNetOptions {
    /// The layers before the first block.
    enum class Stem : std::uint8_t {
        small,  ///< 3x3, for 32x32 images
        large,  ///< 7x7 with stride 2, a norm, then a 3x3 max pool with stride 2
    };

    std::vector<std::int64_t> depths = {6, 12, 24, 16};  ///< layers of each block
    std::int64_t growth = 32;                            ///< channels that each layer adds
    std::int64_t stem_width = 64;                        ///< channels of the first convolution
    Stem stem = Stem::large;                             ///< small for 32x32 images, large for larger ones
    bool bottleneck = true;    ///< a 1x1 convolution to four times `growth` before each 3x3 (the B of BC)
    double compression = 0.5;  ///< fraction of the channels kept between blocks (the C of BC), in (0, 1]
    /// Dropout probability after each convolution except the first, in [0, 1). The paper uses 0.2 without data
    /// augmentation.
    double dropout = 0;
    std::int64_t in_channels = 3;  ///< channels of the images

    /// The feature dimension: the number of channels of the last block's result.
    std::int64_t feature_dim() const;

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("dropout", self.dropout, "probability that dropout sets an element to 0, in [0, 1)");
    }
};

/// The names of the published networks (Huang et al. 2017, Tables 1 and 2): densenet121, 169, 201 and 161 for ImageNet;
/// densenet-40-12, densenet-bc-100-12 and densenet-bc-190-40 (depth, growth rate) for CIFAR.
const std::vector<std::string>& densenet_names();
/// The options of a published network; empty for any other name.
std::optional<DenseNetOptions> densenet_options(std::string_view name);

/// A densely connected network (Huang et al. 2017, "Densely Connected Convolutional Networks") without the classifier.
/// The feature is the mean over H and W of the last block's result, after a norm and a ReLU. x [N, in_channels, H, W];
/// the result is [N, feature_dim()]. Parameters and buffers are named as torchvision's: "features.conv0.weight",
/// "features.denseblock1.denselayer1.norm1.weight", "features.transition1.conv.weight", "features.norm5.weight" (5 for
/// any number of blocks). Convolutions have no bias and initial weights from N(0, 2 / fan_out).
class DenseNet : public Layer {
public:
    using Options = DenseNetOptions;  ///< for Sequential::add()

    /// Throws Error when a count is below 1, compression is outside (0, 1] or dropout is outside [0, 1).
    explicit DenseNet(const DenseNetOptions& options);
    /// Throws Error when x is not [N, in_channels, H, W].
    Tensor forward(Tensor x) override;
    /// The feature dimension.
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    struct Transition {
        std::shared_ptr<BatchNorm2d> norm;
        std::shared_ptr<Conv2d> conv;
        std::shared_ptr<Layer> dropout;
    };

    DenseNetOptions options_;
    std::shared_ptr<Group> features_;
    std::shared_ptr<Conv2d> conv0_;
    ConvNorm stem_;  ///< conv0_ and a norm, with the large stem
    std::vector<std::shared_ptr<DenseBlock>> blocks_;
    std::vector<Transition> transitions_;
    std::shared_ptr<BatchNorm2d> norm5_;
};

}  // namespace radial
