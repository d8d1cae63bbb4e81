// Stochastic gradient descent with momentum.
#pragma once

#include "radial/core/optim/optimizer.h"

#include <vector>

namespace radial {

/// Options of Sgd.
struct SgdOptions {
    double lr = 0.01;           ///< learning rate
    double momentum = 0.0;      ///< the momentum in the formula of Sgd
    bool nesterov = false;      ///< Nesterov momentum; requires momentum > 0
    double weight_decay = 0.0;  ///< for the constructor without groups: L2, added to the gradient
};
/// Stochastic gradient descent with momentum, as in PyTorch:
///
///     v = momentum * v + g + decay * w
///     w -= lr * (nesterov ? g + decay * w + momentum * v : v)
class Sgd : public Optimizer {
public:
    ///@{
    /// Throws as Optimizer does, and Error for a negative momentum or for nesterov without momentum.
    Sgd(std::vector<Tensor> parameters, const SgdOptions& options);
    Sgd(std::vector<ParameterGroup> groups, const SgdOptions& options);
    ///@}
    void step() override;
    std::vector<NamedTensor> state() const override;
    void load_state(const std::vector<NamedTensor>& state) override;

private:
    SgdOptions options_;
    State velocity_;  ///< empty without momentum
};

}  // namespace radial
