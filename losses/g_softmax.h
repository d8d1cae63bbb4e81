// G-softmax: softmax whose logits are increased by a learned Gaussian distribution function of each class.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

/// Options of GSoftmax.
struct GSoftmaxOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double alpha = 1.0;            ///< weight of the distribution function
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// L = mean of -log softmax_j(z_j + alpha Phi((z_j - mu_j) / sigma_j))[y] with z = W x + b (Luo et al., TNNLS 2019),
/// where Phi is the distribution function of the standard normal distribution. Parameters: weight [classes, dim] and
/// bias [classes], initialised as in a Linear layer; mean [classes], mu, and log_sigma [classes], initially those of
/// the standard normal distribution as in the authors' code.
class GSoftmax : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, or alpha is not a number of at least 0.
    explicit GSoftmax(const GSoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The class weights [classes, dim].
    Tensor prototypes() const override { return weight_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    GSoftmaxOptions options_;
    Tensor weight_, bias_, mean_, log_sigma_;
};

}  // namespace radial
