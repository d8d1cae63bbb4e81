// LeNets++: the six-convolution network of the paper's MNIST experiments.
#pragma once

#include "radial/layers/sequential.h"

namespace radial {

struct LeNetPlusPlusOptions {
    std::int64_t feature_dim = 32;  ///< D of the feature it ends in
    std::int64_t in_channels = 1;
};

/// LeNets++ (Wen et al. 2016, "A Discriminative Feature Learning Approach for Deep Face Recognition", Table 1):
/// [conv 5x5 + PReLU] twice and a 2x2 max pool, at 32, 64 and 128 channels, then one linear layer to the feature.
/// Stride 1, padding 2, one PReLU slope a channel. x [N, in_channels, 28, 28] to the feature [N, feature_dim].
/// Parameters: "body.0.weight", ... with the layers' indices in the chain; initial values as the layers'.
class LeNetPlusPlus : public Layer {
public:
    using Options = LeNetPlusPlusOptions;

    /// Throws Error when feature_dim or in_channels is below 1.
    explicit LeNetPlusPlus(const LeNetPlusPlusOptions& options = {});
    /// Throws Error when x is not [N, in_channels, 28, 28].
    Tensor forward(Tensor x) override;

private:
    LeNetPlusPlusOptions options_;
    std::shared_ptr<Sequential> body_;
};

}  // namespace radial
