// Drop-connect: leaving out a branch for some of the images.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

struct DropConnectOptions {
    double p = 0.2;  ///< probability that an image's values are zeroed, in [0, 1)
};

/// Training: zeroes all values of an image with probability p and divides those of the others by 1 - p, one number of
/// default_generator() an image: what EfficientNet calls drop connect (Tan & Le 2019, 5.2), the stochastic depth of
/// Huang et al. 2016 drawn for each image. Evaluation: the identity. x [N, C, H, W] to the same shape.
class DropConnect : public Layer {
public:
    using Options = DropConnectOptions;

    /// Throws Error when p is outside [0, 1).
    explicit DropConnect(const DropConnectOptions& options = {});
    /// Throws Error when x is not rank 4. Overwrites a temporary that nothing else reads.
    Tensor forward(Tensor x) override;

private:
    DropConnectOptions options_;
};

}  // namespace radial
