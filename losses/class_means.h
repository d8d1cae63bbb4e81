// Running means of the features of each class, with which a loss without class vectors predicts.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// Running means, one per class. The mean of a class starts as the mean of its samples in the first batch that has any;
/// in each later batch with samples of the class, it moves towards the mean of these by the fraction `momentum`.
/// Results are the same on every device. Buffers: mean [classes, dim], and seen [classes], which is 1 for a class that
/// has had a sample and 0 otherwise.
class ClassMeans : public Module {
public:
    /// Throws Error, naming `loss`, when classes or dim is below 1, or momentum outside (0, 1].
    ClassMeans(std::string_view loss, std::int64_t classes, std::int64_t dim, double momentum);
    /// Updates the means with a batch: x [N, dim], labels int64 [N]. Not recorded on the tape; does not wait for a
    /// device.
    void update(const Tensor& x, const Tensor& labels) const;
    /// The negative squared distances of x [N, dim] to the means, or the cosines: [N, classes]. A class without samples
    /// so far gets `unseen_logit`.
    Tensor logits(const Tensor& x, bool by_cosine) const;
    /// The means [classes, dim].
    const Tensor& mean() const { return mean_; }

    static constexpr double unseen_logit = -1e30;  ///< smaller than any other logit, and finite in float32

private:
    double momentum_;
    Tensor mean_, seen_;
};

}  // namespace radial
