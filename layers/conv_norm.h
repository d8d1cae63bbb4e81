// A convolution and the batch norm behind it, as one thing.
#pragma once

#include "radial/layers/batch_norm.h"
#include "radial/layers/conv.h"

#include <memory>

namespace radial {

/// norm(conv(x)), with the norm's residual and activation: what most networks are made of. Not a module: a model
/// registers the two under names of its own. In evaluation without gradients it runs as a single convolution with
/// folded weights, w * scale / deviation and shift + (bias - mean) * scale / deviation (Jacob et al. 2018, 3.2), which
/// are made again when one of those has changed. Not for use by several threads at once.
class ConvNorm {
public:
    ConvNorm() = default;
    /// Throws Error when one is null, or the norm takes other channels than the convolution gives.
    ConvNorm(std::shared_ptr<Conv2d> conv, std::shared_ptr<BatchNorm2d> norm);
    /// x [N, C, H, W]; `residual` of the result's shape, added before the activation. Throws as the two layers do.
    Tensor forward(const Tensor& x, const Tensor& residual = {}) const;
    const std::shared_ptr<Conv2d>& conv() const { return conv_; }
    const std::shared_ptr<BatchNorm2d>& norm() const { return norm_; }

private:
    struct Folded;

    std::shared_ptr<Conv2d> conv_;
    std::shared_ptr<BatchNorm2d> norm_;
    std::shared_ptr<Folded> folded_;  ///< what evaluation runs with
};

}  // namespace radial
