// Running means of the features of each class: what a loss without class vectors predicts with.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// One mean a class, which follows the batches. A class's mean starts as the mean of its samples in the first batch
/// that has any, and then moves by `momentum` of the way to the batch's mean of it in each batch that has some. The
/// same on every device. Buffers: mean [classes, dim], and seen [classes], 1 for a class that has had a sample and else
/// 0.
class ClassMeans : public Module {
public:
    /// Throws Error, naming `loss`, when classes or dim is below 1, or momentum outside (0, 1].
    ClassMeans(std::string_view loss, std::int64_t classes, std::int64_t dim, double momentum);
    /// Takes a batch in: x [N, dim], labels int64 [N]. Waits for nothing, and is not recorded.
    void update(const Tensor& x, const Tensor& labels) const;
    /// Minus the squared distances of x [N, dim] to the means, or the cosines: [N, classes]. A class without samples so
    /// far has `unseen_logit`.
    Tensor logits(const Tensor& x, bool by_cosine) const;
    const Tensor& mean() const { return mean_; }

    static constexpr double unseen_logit = -1e30;  ///< below every other, and finite in float32

private:
    double momentum_;
    Tensor mean_, seen_;
};

}  // namespace radial
