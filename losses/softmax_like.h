// What the losses that are a softmax over classes share: smoothing, class weights, recomputation.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/class_weights.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <vector>

namespace radial {

/// Options of every softmax over classes; each loss's own options begin with these.
struct SoftmaxLikeOptions {
    double smoothing = 0;    ///< of the labels, in [0, 1]: see HeadOptions
    bool recompute = false;  ///< keep no [N, C] buffer: see HeadOptions
};

/// Base of losses that are a softmax cross-entropy over classes.
class SoftmaxLike : public Loss {
public:
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set(name_, classes_, weights);
    }
    bool has_class_weights() const override { return true; }
    Tensor batch_weight(const Tensor& labels) override { return class_weights_.sum_over(labels); }
    /// Unless the loss takes a state from the batches that it is trained on.
    bool additive() const override { return true; }

    /// The settings that every such loss has, with their defaults, beside `own`: "smoothing" and "recompute".
    static LossSettings with_settings(LossSettings own);
    /// Those two, read.
    static SoftmaxLikeOptions read(const LossSettings& settings);

protected:
    /// Throws Error, naming `loss`, when classes or dim is below 1 or smoothing outside [0, 1].
    SoftmaxLike(std::string_view loss, std::int64_t classes, std::int64_t dim, const SoftmaxLikeOptions& options);
    /// What the ops want, on the device and in the type of `like`.
    HeadOptions head(const Tensor& like);

private:
    std::string name_;
    std::int64_t classes_;
    SoftmaxLikeOptions options_;
    ClassWeights class_weights_;
};

}  // namespace radial
