// A convolution followed by a batch norm.
#pragma once

#include "radial/layers/batch_norm.h"
#include "radial/layers/conv.h"

#include <memory>

namespace radial {

/// norm(conv(x)), with the norm's residual and activation, the building block of most networks. Not a module: a model
/// registers the two layers under names of its own. In evaluation without gradients it runs as a single convolution
/// with folded weights, w * scale / deviation and shift + (bias - mean) * scale / deviation (Jacob et al. 2018, 3.2),
/// which are recomputed when one of their inputs has changed. Not thread-safe.
class ConvNorm {
public:
    ConvNorm() = default;
    /// Throws Error when a layer is null, or when the norm's channels are not those of the convolution's result.
    ConvNorm(std::shared_ptr<Conv2d> conv, std::shared_ptr<BatchNorm2d> norm);
    /// norm(conv(x)) for x [N, C, H, W]. `residual` has the shape of the result and is added before the activation; it
    /// may be undefined. Throws as the two layers do.
    Tensor forward(const Tensor& x, const Tensor& residual = {}) const;
    /// The convolution.
    const std::shared_ptr<Conv2d>& conv() const { return conv_; }
    /// The batch norm.
    const std::shared_ptr<BatchNorm2d>& norm() const { return norm_; }

private:
    struct Folded;

    std::shared_ptr<Conv2d> conv_;
    std::shared_ptr<BatchNorm2d> norm_;
    std::shared_ptr<Folded> folded_;  ///< what evaluation runs with
};

}  // namespace radial
