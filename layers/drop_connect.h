// Drop-connect: skips a branch for some of the images.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// Options of DropConnect.
struct DropConnectOptions {
    double p = 0.2;  ///< probability that an image's values are zeroed, in [0, 1)
};

/// In training, zeroes all values of an image with probability p and divides those of the other images by 1 - p, using
/// one number of default_generator() per image. This is EfficientNet's drop connect (Tan & Le 2019, 5.2), the
/// stochastic depth of Huang et al. 2016 drawn for each image. In evaluation, the identity. x [N, C, H, W]; the result
/// has the same shape.
class DropConnect : public Layer {
public:
    using Options = DropConnectOptions;  ///< for Sequential::add()

    /// Throws Error when p is outside [0, 1).
    explicit DropConnect(const DropConnectOptions& options = {});
    /// Throws Error when x is not of rank 4. Computed in place when x is a temporary that nothing else reads.
    Tensor forward(Tensor x) override;

private:
    DropConnectOptions options_;
};

}  // namespace radial
