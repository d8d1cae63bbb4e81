// The optimizer LAMB.
#pragma once

#include "radial/core/optim/moments.h"

#include <vector>

namespace radial {

namespace kernels {
struct LambFactors;
}  // namespace kernels

/// Options of Lamb.
struct LambOptions {
    double lr = 1e-3;                   ///< learning rate
    double beta1 = 0.9, beta2 = 0.999;  ///< decay of the averages of gradients and of their squares
    double epsilon = 1e-6;              ///< added to the denominator
    double weight_decay = 0.0;          ///< for the constructor without groups: decay in the formula of Lamb
    bool trust_clip = false;            ///< LAMBC: limit the trust ratio to at most 1
    bool always_adapt = false;          ///< use the trust ratio in groups without weight decay too
};
/// LAMB (You et al. 2020, "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", Algorithm 2), as
/// in timm:
///
///     m += (1 - beta1) (g - m)
///     v = beta2 v + (1 - beta2) g^2
///     u = m / (1 - beta1^t) / (sqrt(v) / sqrt(1 - beta2^t) + epsilon) + decay * w
///     w -= lr * |w| / |u| * u
///
/// where t counts the updates of the parameter, and the norms are taken over the parameter (in double; they do not
/// depend on the number of threads). The trust ratio |w| / |u| is 1 if one of the norms is 0, and for a group without
/// weight decay unless `always_adapt` is set. timm also clips the norm of all gradients; here clip_gradients() does.
class Lamb : public MomentOptimizer {
public:
    ///@{
    /// Throws Error as MomentOptimizer does.
    Lamb(std::vector<Tensor> parameters, const LambOptions& options);
    Lamb(std::vector<ParameterGroup> groups, const LambOptions& options);
    ///@}
    void step() override;

private:
    /// Updates the parameters of `alike`, which have the type T. `factors` is memory for one LambFactors per update, on
    /// their device.
    template <class T>
    void update_list(const std::vector<Update>& alike, kernels::LambFactors* factors);

    LambOptions options_;
};

}  // namespace radial
