// The optimizer RMSprop.
#pragma once

#include "radial/core/optim/optimizer.h"

#include <vector>

namespace radial {

/// Options of RmsProp.
struct RmsPropOptions {
    double lr = 0.01;           ///< learning rate
    double alpha = 0.99;        ///< decay of the averages
    double epsilon = 1e-8;      ///< added to the denominator
    double momentum = 0.0;      ///< the momentum in the formula of RmsProp
    bool centered = false;      ///< divide by the standard deviation of the gradient instead of its root mean square
    double weight_decay = 0.0;  ///< for the constructor without groups: L2, added to the gradient
};
/// RMSprop (Tieleman & Hinton, "Neural Networks for Machine Learning", lecture 6.5, 2012; centered: Graves 2013), as in
/// PyTorch:
///
///     g' = g + decay * w
///     v = alpha * v + (1 - alpha) g'^2
///     m = alpha * m + (1 - alpha) g'                       with centered
///     b = momentum * b + g' / (sqrt(v - m^2) + epsilon)    m is 0 unless centered
///     w -= lr * b
class RmsProp : public Optimizer {
public:
    ///@{
    /// Throws as Optimizer does, and Error when alpha is outside [0, 1), or epsilon or momentum is negative.
    RmsProp(std::vector<Tensor> parameters, const RmsPropOptions& options);
    RmsProp(std::vector<ParameterGroup> groups, const RmsPropOptions& options);
    ///@}
    void step() override;
    std::vector<NamedTensor> state() const override;
    void load_state(const std::vector<NamedTensor>& state) override;

private:
    RmsPropOptions options_;
    State squares_, means_, velocity_;  ///< the last two are empty if not used
};

}  // namespace radial
