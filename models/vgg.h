// VGG: one family, told apart by a table of depths.
#pragma once

#include "radial/layers/conv_norm.h"
#include "radial/layers/sequential.h"
#include "radial/models/group.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// What a VGG is made of: stages of 3x3 convolutions, each stage ending in a 2x2 max pool.
struct VggOptions {
    std::vector<std::int64_t> depths = {1, 1, 2, 2, 2};           ///< convolutions of each stage
    std::vector<std::int64_t> widths = {64, 128, 256, 512, 512};  ///< and their width
    bool batch_norm = false;                                      ///< behind each convolution
    /// Width of two linear layers behind the last stage's result, which is brought to 7x7 pixels; 0 for none, and then
    /// the feature is that result's mean over H and W (of 32x32 images, the one pixel that is left).
    std::int64_t hidden = 4096;
    double dropout = 0;  ///< behind each of the linear layers, in [0, 1); 0.5 as published
    std::int64_t in_channels = 3;

    /// The length of the feature.
    std::int64_t feature_dim() const { return hidden > 0 ? hidden : widths.back(); }
};

/// The published networks (Simonyan & Zisserman 2015, Table 1, A, B, D and E): vgg11, 13, 16 and 19 for ImageNet, the
/// same with batch norm as vgg11-bn and so on, and for CIFAR, with batch norm and without the linear layers, as
/// vgg11-cifar and so on.
const std::vector<std::string>& vgg_names();
/// The options of one of them; empty for any other name.
std::optional<VggOptions> vgg_options(std::string_view name);

/// VGG (Simonyan & Zisserman 2015) up to the feature: with `hidden`, the result of the second linear layer, its ReLU
/// and its dropout. x [N, in_channels, H, W] to [N, feature_dim()].
/// Parameters and buffers are named as torchvision's: "features.0.weight", "features.1.running_mean",
/// "classifier.0.weight", "classifier.3.bias". First weights: convolutions N(0, 2 / fan_out), linear layers
/// N(0, 0.01^2), biases 0.
class Vgg : public Layer {
public:
    using Options = VggOptions;

    /// Throws Error unless there are as many widths as depths, at least one, and all are at least 1.
    explicit Vgg(const VggOptions& options);
    /// Throws Error when x is not [N, in_channels, H, W], and with `hidden` when H and W do not come to a multiple of 7
    /// behind the pools, as 224 and 448 do.
    Tensor forward(Tensor x) override;
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    /// A convolution and what follows it: a norm with a ReLU, or a ReLU alone.
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
