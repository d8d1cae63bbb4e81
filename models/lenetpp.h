// LeNets++: the six-convolution network of the paper's MNIST experiments.
#pragma once

#include "radial/layers/sequential.h"

namespace radial {

/// Options of LeNetPlusPlus.
struct LeNetPlusPlusOptions {
    std::int64_t feature_dim = 32;  ///< feature dimension D
    std::int64_t in_channels = 1;   ///< channels of the images
};

/// LeNets++ (Wen et al. 2016, "A Discriminative Feature Learning Approach for Deep Face Recognition", Table 1): stages
/// of 32, 64 and 128 channels, each with two 5x5 convolutions, a PReLU after each of them, and a 2x2 max pool, followed
/// by a linear layer that computes the feature. Stride 1, padding 2, one PReLU slope per channel. x [N, in_channels,
/// 28, 28]; the result is [N, feature_dim]. Parameters are named by the layers' indices in the chain: "body.0.weight"
/// and so on; initial values are those of the layers.
class LeNetPlusPlus : public Layer {
public:
    using Options = LeNetPlusPlusOptions;  ///< for Sequential::add()

    /// Throws Error when feature_dim or in_channels is below 1.
    explicit LeNetPlusPlus(const LeNetPlusPlusOptions& options = {});
    /// Throws Error when x is not [N, in_channels, 28, 28].
    Tensor forward(Tensor x) override;

private:
    LeNetPlusPlusOptions options_;
    std::shared_ptr<Sequential> body_;
};

}  // namespace radial
