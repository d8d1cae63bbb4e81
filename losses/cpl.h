// Convolutional prototype learning: softmax over distances to learned prototypes.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

/// Options of Cpl.
struct CplOptions {
    std::int64_t classes = 10;              ///< number of classes
    std::int64_t dim = 32;                  ///< feature dimension
    std::int64_t prototypes_per_class = 1;  ///< K
    double gamma = 1.0;                     ///< hardness: factor of the squared distances
    SoftmaxLikeOptions softmax{};           ///< label smoothing and recomputation
};

/// L = mean of -log p(y), the distance-based cross-entropy (Yang et al., CVPR 2018, Eq. 6 to 8). p(c) is the sum over
/// the prototypes of class c of the softmax, over all prototypes, of -gamma |x - W_ck|^2. logit_c = log(sum_k
/// exp(-gamma |x - W_ck|^2)). Parameter: prototypes [classes * K, dim], those of a class in consecutive rows. The paper
/// does not give their initial values; here they are Xavier-uniform, because prototypes of a class that start equal
/// would stay equal.
class Cpl : public SoftmaxLike {
public:
    /// Throws Error when classes, dim or prototypes_per_class is below 1, or gamma is not above 0.
    explicit Cpl(const CplOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// All prototypes, [classes * K, dim], those of a class in consecutive rows.
    Tensor prototypes() const override { return prototypes_; }

    /// The loss's entry in the registry.
    static LossInfo info();
    /// The registry's entry for g-cpl: cpl + lambda * compact, lambda 0.01 (Yang et al. 2018).
    static LossInfo generalised_info();

private:
    CplOptions options_;
    Tensor prototypes_;
};

}  // namespace radial
