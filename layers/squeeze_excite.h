// Squeeze-and-excitation.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/layers/conv.h"

namespace radial {

/// Options of SqueezeExcite.
struct SqueezeExciteOptions {
    std::int64_t channels = 1;  ///< channels of the input
    std::int64_t reduced = 1;   ///< channels between the two convolutions
};

/// y = x * sigmoid(expand(silu(reduce(mean of x over H and W)))), which scales each channel of each image (Hu et al.
/// 2018, Eq. 2 to 4; the SiLU as in Tan & Le 2019). x [N, channels, H, W]; the result has the same shape. Submodules:
/// conv_reduce and conv_expand, 1x1 convolutions with a bias.
class SqueezeExcite : public Layer {
public:
    using Options = SqueezeExciteOptions;  ///< for Sequential::add()

    /// Throws Error when channels or reduced is below 1.
    explicit SqueezeExcite(const SqueezeExciteOptions& options);
    /// Throws Error when x is not of rank 4 or has another number of channels.
    Tensor forward(Tensor x) override;

private:
    SqueezeExciteOptions options_;
    std::shared_ptr<Conv2d> conv_reduce_, conv_expand_;
};

}  // namespace radial
