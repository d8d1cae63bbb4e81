// Common base of the losses that are a softmax over classes: label smoothing, class weights, recomputation.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/class_weights.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <vector>

namespace radial {

/// Options of every softmax over classes, which are part of each loss's own options.
struct SoftmaxLikeOptions {
    double smoothing = 0;    ///< label smoothing, in [0, 1]: see HeadOptions
    bool recompute = false;  ///< keep no [N, C] buffer: see HeadOptions
};

/// Base of the losses that are a softmax cross-entropy over classes.
class SoftmaxLike : public Loss {
public:
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set(name_, classes_, weights);
    }
    bool has_class_weights() const override { return true; }
    Tensor batch_weight(const Tensor& labels) override { return class_weights_.sum_over(labels); }
    /// True, unless a derived loss updates state from the batches in training.
    bool additive() const override { return true; }

    /// Adds the settings that every such loss has, "smoothing" and "recompute", with their defaults, to `own`.
    static LossSettings with_settings(LossSettings own);
    /// The options given by the settings "smoothing" and "recompute".
    static SoftmaxLikeOptions read(const LossSettings& settings);

protected:
    /// Throws Error, naming `loss`, when classes or dim is below 1 or smoothing is outside [0, 1].
    SoftmaxLike(std::string_view loss, std::int64_t classes, std::int64_t dim, const SoftmaxLikeOptions& options);
    /// The options for the ops, with class weights on the device and in the type of `like`.
    HeadOptions head(const Tensor& like);

private:
    std::string name_;
    std::int64_t classes_;
    SoftmaxLikeOptions options_;
    ClassWeights class_weights_;
};

}  // namespace radial
