// Cos-Softmax, or congenerous cosine loss: a softmax over scaled cosines to class centroids.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

struct CosSoftmaxOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    double scale = 0;       ///< what the cosines are multiplied by; 0: by the rule of epsilon
    double epsilon = 1e-4;  ///< how near to 0 the loss shall be able to come
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log softmax_j(scale * cos(x, W_j))[y] (Liu, Li, Wang: COCO, arXiv 1710.00870). By their
/// rule scale = 1/2 log((classes - 1) / epsilon) + 3. Parameter: weight [classes, dim], started Xavier-uniform.
class CosSoftmax : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, scale or epsilon does not fit, or the rule has less than 2 classes.
    explicit CosSoftmax(const CosSoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The class weights [classes, dim].
    Tensor prototypes() const override { return weight_; }
    double scale() const { return scale_; }

    static LossInfo info();

private:
    double scale_;
    Tensor weight_;
};

}  // namespace radial
