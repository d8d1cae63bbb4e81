// SphereFace (A-Softmax): the own class's angle multiplied.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

struct SphereFaceOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;      ///< feature dimension
    std::int64_t multiple = 4;  ///< m, at least 1
    // lambda = max(lambda_min, lambda_base / (1 + lambda_decay * forwards)), as the authors train
    double lambda_base = 1000.0;
    double lambda_decay = 0.12;
    double lambda_min = 5.0;
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log softmax_j(|x| * f_j)[y], f_j = cos t_j for the others and for the own class
///   (lambda cos t + psi(t)) / (1 + lambda), psi(t) = (-1)^k cos(m t) - 2 k, t in [k pi / m, (k + 1) pi / m]
/// (Liu et al.: SphereFace, CVPR 2017, Eq. 7; the blend with lambda: their code and Liu et al. 2016). Parameter: weight
/// [classes, dim]; buffer: forwards [1], the training forward() calls so far.
class SphereFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit SphereFace(const SphereFaceOptions& options);
    Tensor logits(const Tensor& feature) override;

    /// Batches are counted.
    bool additive() const override { return false; }

    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    SphereFaceOptions options_;
    Tensor forwards_;
};

}  // namespace radial
