// VGG: a family of networks that differ in depth.
#pragma once

#include "radial/layers/conv.h"
#include "radial/layers/sequential.h"
#include "radial/models/common.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Options of Vgg: stages of 3x3 convolutions, each followed by a 2x2 max pool.
struct VggOptions {
    std::vector<std::int64_t> depths = {1, 1, 2, 2, 2};           ///< number of convolutions of each stage
    std::vector<std::int64_t> widths = {64, 128, 256, 512, 512};  ///< channels of each stage
    bool batch_norm = false;                                      ///< a batch norm after each convolution
    /// Width of the two linear layers after the last stage, whose result is pooled to 7x7 pixels. 0 means no linear
    /// layers: the feature is then the mean of the last stage's result over H and W (for 32x32 images, its only pixel).
    std::int64_t hidden = 4096;
    double dropout = 0;            ///< dropout probability after each linear layer, in [0, 1); published: 0.5
    std::int64_t in_channels = 3;  ///< channels of the images

    /// The feature dimension.
    std::int64_t feature_dim() const { return hidden > 0 ? hidden : widths.back(); }

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        if (self.hidden > 0) visit("dropout", self.dropout, "probability that dropout sets an element to 0, in [0, 1)");
    }
};

/// The names of the published networks (Simonyan & Zisserman 2015, Table 1, A, B, D and E): vgg11, 13, 16 and 19 for
/// ImageNet; with batch norm, vgg11-bn and so on; for CIFAR, with batch norm and without the linear layers, vgg11-cifar
/// and so on.
const std::vector<std::string>& vgg_names();
/// The options of one of these networks; empty for any other name.
std::optional<VggOptions> vgg_options(std::string_view name);

/// VGG (Simonyan & Zisserman 2015) without the classifier. With `hidden`, the feature is the result of the second
/// linear layer after its ReLU and dropout. x [N, in_channels, H, W]; the result is [N, feature_dim()]. Parameters and
/// buffers are named as torchvision's: "features.0.weight", "features.1.running_mean", "classifier.0.weight",
/// "classifier.3.bias". Initial weights: convolutions N(0, 2 / fan_out), linear layers N(0, 0.01^2), biases 0.
class Vgg : public Layer {
public:
    using Options = VggOptions;  ///< for Sequential::add()

    /// Throws Error unless there are as many widths as depths, at least one of each, and all of them and in_channels
    /// are at least 1; and when hidden is negative.
    explicit Vgg(const VggOptions& options);
    /// Throws Error when x is not [N, in_channels, H, W], and with `hidden` when the height and width after the pools
    /// are not multiples of 7, as they are for 224 and 448 pixels.
    Tensor forward(Tensor x) override;
    /// The feature dimension.
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    /// A convolution and the layers after it: a norm with a ReLU, or only a ReLU.
    struct Step {
        std::shared_ptr<Conv2d> conv;
        ConvNorm with_norm;
    };
    Tensor run(const Step& step, Tensor x) const;

    VggOptions options_;
    std::shared_ptr<Group> features_;
    std::vector<std::vector<Step>> stages_;
    std::shared_ptr<Sequential> classifier_;  ///< null without linear layers
};

}  // namespace radial
