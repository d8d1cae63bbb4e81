// Cos-Softmax, or congenerous cosine loss: softmax over scaled cosines to class centroids.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

/// Options of CosSoftmax.
struct CosSoftmaxOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 0;              ///< factor of the cosines; 0: derived from epsilon
    double epsilon = 1e-4;         ///< bound that the loss should be able to reach
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// L = mean of -log softmax_j(scale * cos(x, W_j))[y] (Liu, Li, Wang: COCO, arXiv 1710.00870). Derived from epsilon,
/// scale = 1/2 log((classes - 1) / epsilon) + 3, as in the paper. Parameter: weight [classes, dim], initially
/// Xavier-uniform.
class CosSoftmax : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, scale or epsilon is invalid, or scale is derived with fewer than 2
    /// classes.
    explicit CosSoftmax(const CosSoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The class weights [classes, dim].
    Tensor prototypes() const override { return weight_; }
    /// The factor of the cosines.
    double scale() const { return scale_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    double scale_;
    Tensor weight_;
};

}  // namespace radial
