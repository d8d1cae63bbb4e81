// Ring loss: pulls features towards a sphere with a learned radius.
#pragma once

#include "radial/losses/class_weights.h"
#include "radial/losses/first_batch.h"
#include "radial/losses/loss.h"

namespace radial {

/// L = 1/2 mean of (|x| - R)^2 (Zheng et al., CVPR 2018). Parameter: radius [1], R, which the first training batch sets
/// to the mean length of its features, as the paper advises. Buffer: started [1].
class Ring : public Regulariser {
public:
    Ring();
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set("Ring", std::ssize(weights), weights);
    }
    bool additive() const override { return first_.over(); }

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();
    /// The registry's entry for softmax + lambda * ring, lambda 0.01 (Zheng et al. 2018).
    static LossInfo loss_info();

private:
    Tensor radius_;
    FirstBatch first_;
    ClassWeights class_weights_;
};

}  // namespace radial
