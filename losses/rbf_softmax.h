// RBF-Softmax: softmax over Gaussian kernels of the distances to class prototypes.
#pragma once

#include "radial/losses/loss.h"

namespace radial {

struct RbfSoftmaxOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    double scale = 2.0;     ///< s: range of the logits, [0, s]
    double gamma = 1.0;     ///< width of the kernel, in squared distance
};

/// L = mean of -log softmax_j(s * exp(-|x - W_j|^2 / gamma))[y] (Zhang et al., ECCV 2020, Eq. 3 and 4).
/// Parameter: prototypes [classes, dim], started Xavier-uniform as in the authors' code.
class RbfSoftmax : public Loss {
public:
    /// Throws Error when classes or dim is below 1, or scale or gamma is not above 0.
    explicit RbfSoftmax(const RbfSoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return prototypes_; }
    Tensor mean_kernel() const override { return mean_kernel_; }

    static LossInfo info();

private:
    RbfSoftmaxOptions options_;
    Tensor prototypes_, mean_kernel_;
};

}  // namespace radial
