// The conventional softmax cross-entropy head: inner products with class weights.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

struct SoftmaxOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    bool bias = true;
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log softmax(W x + b)[y] (paper Eq. 1). Parameters: weight [classes, dim], bias [classes]; both
/// start uniform in +-1 / sqrt(dim), as a Linear layer's do.
class Softmax : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, or smoothing outside [0, 1].
    explicit Softmax(const SoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The class weights [classes, dim].
    Tensor prototypes() const override { return weight_; }

    static LossInfo info();

private:
    Tensor weight_, bias_;
};

}  // namespace radial
