// SphereFace (A-Softmax): multiplies the angle to the own class.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

/// Options of SphereFace.
struct SphereFaceOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    std::int64_t multiple = 4;  ///< m, at least 1
    // lambda = max(lambda_min, lambda_base / (1 + lambda_decay * forwards)), as in the authors' code
    double lambda_base = 1000.0;   ///< initial lambda
    double lambda_decay = 0.12;    ///< decay of lambda
    double lambda_min = 5.0;       ///< smallest lambda
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// L = mean of -log softmax_j(|x| * f_j)[y], where f_j = cos t_j for the other classes and
///
///     f_y = (lambda cos t + psi(t)) / (1 + lambda), psi(t) = (-1)^k cos(m t) - 2 k, t in [k pi / m, (k + 1) pi / m]
///
/// for the own class (Liu et al.: SphereFace, CVPR 2017, Eq. 7; the blend with lambda as in their code and in Liu et
/// al. 2016). lambda = max(lambda_min, lambda_base / (1 + lambda_decay * forwards)). Parameter: weight [classes, dim];
/// buffer: forwards [1], the number of forward() calls in training so far.
class SphereFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit SphereFace(const SphereFaceOptions& options);
    Tensor logits(const Tensor& feature) override;

    /// False: lambda depends on the number of batches.
    bool additive() const override { return false; }

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    SphereFaceOptions options_;
    Tensor forwards_;
};

}  // namespace radial
