// Convolutional prototype learning: a softmax over distances to learned prototypes.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

struct CplOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;                  ///< feature dimension
    std::int64_t prototypes_per_class = 1;  ///< K
    double gamma = 1.0;                     ///< hardness: what the squared distances are multiplied by
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log p(y), p(c) the sum of softmax over all prototypes of -gamma |x - W_ck|^2 over those of class c: the
/// distance-based cross-entropy (Yang et al., CVPR 2018, Eq. 6 to 8). logit_c = log(sum_k exp(-gamma |x - W_ck|^2)).
/// Parameter: prototypes [classes * K, dim], class by class. The paper does not say how they start; here
/// Xavier-uniform, since several prototypes that start alike would stay so.
class Cpl : public SoftmaxLike {
public:
    /// Throws Error when classes, dim or prototypes_per_class is below 1, or gamma is not above 0.
    explicit Cpl(const CplOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// Every prototype, class by class: [classes * K, dim].
    Tensor prototypes() const override { return prototypes_; }

    static LossInfo info();
    /// g-cpl: cpl + lambda * compact, lambda 0.01 (Yang et al. 2018).
    static LossInfo generalised_info();

private:
    CplOptions options_;
    Tensor prototypes_;
};

}  // namespace radial
