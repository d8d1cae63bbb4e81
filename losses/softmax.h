// Softmax cross-entropy over inner products with class weights.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

/// Options of Softmax.
struct SoftmaxOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    bool bias = true;              ///< add a bias per class
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// L = mean of -log softmax(W x + b)[y] (Zhang et al., ECCV 2020, Eq. 1). Parameters: weight [classes, dim], bias
/// [classes], initially uniform in +-1 / sqrt(dim), as in a Linear layer.
class Softmax : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, or smoothing is outside [0, 1].
    explicit Softmax(const SoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The class weights [classes, dim].
    Tensor prototypes() const override { return weight_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    Tensor weight_, bias_;
};

}  // namespace radial
