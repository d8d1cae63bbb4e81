// Losses for targets with one number per output: regression and multi-label classification.
#pragma once

#include "radial/losses/loss.h"

namespace radial {

/// Mean of (y - t)² over all outputs y [N, K] and targets t, float [N, K], or [N] if K is 1. The network's output is
/// the prediction; the loss has no parameters.
class MeanSquaredError : public Loss {
public:
    /// Throws Error when the shapes do not fit.
    Tensor forward(const Tensor& output, const Tensor& targets) override;
    /// The output itself.
    Tensor logits(const Tensor& output) override { return output; }
    bool additive() const override { return true; }
};

/// Mean of |y - t| over all outputs y [N, K] and targets t, float [N, K], or [N] if K is 1. The network's output is the
/// prediction, which fits the median of the targets and is less sensitive to outliers than MeanSquaredError. Its
/// gradient is 0 where y = t.
class MeanAbsoluteError : public Loss {
public:
    /// Throws Error when the shapes do not fit.
    Tensor forward(const Tensor& output, const Tensor& targets) override;
    /// The output itself.
    Tensor logits(const Tensor& output) override { return output; }
    bool additive() const override { return true; }
};

/// Options of SmoothL1.
struct SmoothL1Options {
    double beta = 1.0;  ///< the difference at which the loss changes from quadratic to linear; above 0
};
/// Mean of (y - t)² / (2 beta) where |y - t| < beta, and of |y - t| - beta / 2 elsewhere (Girshick, "Fast R-CNN", 2015,
/// Eq. 3, with beta as in PyTorch), over all outputs y [N, K] and targets t, float [N, K], or [N] if K is 1. beta times
/// this is the Huber loss.
class SmoothL1 : public Loss {
public:
    /// Throws Error when beta is not above 0.
    explicit SmoothL1(const SmoothL1Options& options = {});
    /// Throws Error when the shapes do not fit.
    Tensor forward(const Tensor& output, const Tensor& targets) override;
    /// The output itself.
    Tensor logits(const Tensor& output) override { return output; }
    bool additive() const override { return true; }

private:
    SmoothL1Options options_;
};

/// Mean of -(t log p + (1 - t) log(1 - p)) with p = sigmoid(y), over all outputs y [N, K] and targets t in [0, 1],
/// float [N, K], or [N] if K is 1. Each output says whether the sample belongs to one class; a sample may belong to
/// several classes. The loss is computed from the logits without cancellation, so it is accurate for outputs of any
/// size.
class BinaryCrossEntropy : public Loss {
public:
    /// Throws Error when the shapes do not fit.
    Tensor forward(const Tensor& output, const Tensor& targets) override;
    /// The output itself; an output above 0 predicts that the sample belongs to the class.
    Tensor logits(const Tensor& output) override { return output; }
    bool additive() const override { return true; }
};

}  // namespace radial
