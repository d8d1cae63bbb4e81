// The optimizers Adam and AdamW.
#pragma once

#include "radial/core/optim/moments.h"

#include <vector>

namespace radial {

namespace kernels {
struct AdamFactors;
}  // namespace kernels

/// Options of Adam.
struct AdamOptions {
    double lr = 1e-3;                   ///< learning rate
    double beta1 = 0.9, beta2 = 0.999;  ///< decay of the averages of gradients and of their squares
    double epsilon = 1e-8;              ///< added to the denominator
    double weight_decay = 0.0;          ///< L2, or decoupled; for the constructor without groups
    /// AdamW (Loshchilov & Hutter 2019): decays the weights directly instead of adding the decay to the gradient.
    bool decoupled = false;
};
/// Adam (Kingma & Ba 2015) and AdamW, with bias correction, as in PyTorch:
///
///     m += (1 - beta1) (g - m)
///     v = beta2 v + (1 - beta2) g^2
///     w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
///
/// where t counts the updates of the parameter.
class Adam : public MomentOptimizer {
public:
    ///@{
    /// Throws Error as MomentOptimizer does.
    Adam(std::vector<Tensor> parameters, const AdamOptions& options);
    Adam(std::vector<ParameterGroup> groups, const AdamOptions& options);
    ///@}
    void step() override;

private:
    /// Increments the step count of each parameter and computes its factors from the count and the learning rate.
    void count_steps(const std::vector<Update>& alike, kernels::AdamFactors* factors);

    AdamOptions options_;
};

}  // namespace radial
