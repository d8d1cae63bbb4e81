// A densely connected block of convolutions.
#pragma once

#include "radial/core/nn/module.h"

#include <memory>
#include <vector>

namespace radial {

/// Options of DenseBlock.
struct DenseBlockOptions {
    std::int64_t in_channels = 1;  ///< channels of the input
    std::int64_t layers = 1;       ///< number of layers
    std::int64_t growth = 12;      ///< channels that each layer adds
    std::int64_t bottleneck = 0;   ///< channels of a 1x1 convolution before each layer's 3x3; 0 for none
    double dropout = 0;            ///< dropout probability after each convolution, in [0, 1)

    /// Channels of the result.
    std::int64_t out_channels() const { return in_channels + layers * growth; }
};

class DenseLayer;

/// A block in which the input of each layer is the concatenation of the block's input and the results of all earlier
/// layers (Huang et al. 2017, Eq. 2): with the input x_0, x_l = conv3x3(relu(norm([x_0, ..., x_{l-1}]))) or, with a
/// bottleneck, conv3x3(relu(norm(conv1x1(relu(norm(...)))))). x [N, in_channels, H, W]; the result is [x_0, ...,
/// x_layers], [N, out_channels(), H, W]. On the CPU, without dropout, for an image in float32 or bfloat16 and weights
/// in float32, the layers append their results to a single image in memory (layers/dense/growing_image.h). Submodules:
/// denselayer1, denselayer2, ..., each with norm1, conv1 and, with a bottleneck, norm2, conv2. Convolutions have no
/// bias and initial weights from N(0, 2 / fan_out).
class DenseBlock : public Layer {
public:
    using Options = DenseBlockOptions;  ///< for Sequential::add()

    /// Throws Error when in_channels, layers or growth is below 1, bottleneck is negative, or dropout outside [0, 1).
    explicit DenseBlock(const DenseBlockOptions& options);
    /// Throws Error when x is not of rank 4 or has another number of channels.
    Tensor forward(Tensor x) override;
    /// The options given to the constructor.
    const DenseBlockOptions& options() const { return options_; }

private:
    DenseBlockOptions options_;
    std::vector<std::shared_ptr<DenseLayer>> layers_;
};

}  // namespace radial
