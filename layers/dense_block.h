// A densely connected block.
#pragma once

#include "radial/core/nn/module.h"

#include <memory>
#include <vector>

namespace radial {

struct DenseBlockOptions {
    std::int64_t in_channels = 1;
    std::int64_t layers = 1;
    std::int64_t growth = 12;     ///< channels that each layer adds
    std::int64_t bottleneck = 0;  ///< width of a 1x1 convolution before each layer's 3x3; 0 for none
    double dropout = 0;           ///< after each convolution, in [0, 1)

    std::int64_t out_channels() const { return in_channels + layers * growth; }
};

class DenseLayer;

/// Layers of which each sees the results of all before it (Huang et al. 2017, Eq. 2): with x_0 the input,
/// x_l = conv3x3(relu(norm([x_0, ..., x_{l-1}]))), or with a bottleneck conv3x3(relu(norm(conv1x1(relu(norm(...)))))).
/// x [N, in_channels, H, W] to [x_0, ..., x_layers], [N, out_channels(), H, W].
/// On the CPU in float32 the block grows one image in place (layers/dense/growing_image.h), unless it drops.
/// Submodules: denselayer1, denselayer2, ... of norm1, conv1 and, with a bottleneck, norm2, conv2. Convolutions have no
/// bias and start at N(0, 2 / fan_out).
class DenseBlock : public Layer {
public:
    using Options = DenseBlockOptions;

    /// Throws Error when in_channels, layers or growth is below 1, bottleneck is negative, or dropout outside [0, 1).
    explicit DenseBlock(const DenseBlockOptions& options);
    /// Throws Error when x is not rank 4 or has other channels.
    Tensor forward(Tensor x) override;
    const DenseBlockOptions& options() const { return options_; }

private:
    DenseBlockOptions options_;
    std::vector<std::shared_ptr<DenseLayer>> layers_;
};

}  // namespace radial
