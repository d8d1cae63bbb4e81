// Large-margin Gaussian mixture loss: features as a mixture of one Gaussian a class.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

struct LgmOptions {
    enum class Covariance : std::uint8_t { identity, diagonal };

    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    double alpha = 1.0;     ///< margin: how much further than it is the own class counts as
    double lambda = 0.1;    ///< weight of the likelihood
    Covariance covariance = Covariance::identity;
    SoftmaxLikeOptions softmax{};
};

/// L = mean cross-entropy of -(1 + alpha 1[j = y]) d_j - 1/2 log|Lambda_j| + lambda * mean of d_y + 1/2 log|Lambda_y|,
/// with d_j = 1/2 (x - mu_j)^T Lambda_j^-1 (x - mu_j) (Wan et al., CVPR 2018, Eq. 13 and 18; equal priors).
/// Lambda_j is the identity or diagonal. Predicts without the margin. Parameters: means [classes, dim], started
/// Xavier-uniform as in the authors' code, and for the diagonal log_variances [classes, dim], started at 0.
class Lgm : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, or alpha or lambda is not a number of at least 0.
    explicit Lgm(const LgmOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The means [classes, dim].
    Tensor prototypes() const override { return means_; }

    static LossInfo info();

private:
    bool diagonal() const { return options_.covariance == LgmOptions::Covariance::diagonal; }
    Tensor distances(const Tensor& x) const;
    Tensor normalisers() const;
    Tensor negative_likelihood(const Tensor& x, const Tensor& labels, const Tensor& class_weights) const;

    LgmOptions options_;
    Tensor means_, log_variances_;
};

}  // namespace radial
