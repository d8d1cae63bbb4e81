// The state of optimizers that average gradients and their squares.
#pragma once

#include "radial/core/optim/optimizer.h"

#include <string>
#include <vector>

namespace radial {

/// Base of Adam and Lamb, which keep two moving averages for each parameter, of its gradients and of their squares, and
/// count its updates. The state is named "first.group.index", "second.group.index" and "step.group".
class MomentOptimizer : public Optimizer {
public:
    std::vector<NamedTensor> state() const override;
    void load_state(const std::vector<NamedTensor>& state) override;

protected:
    /// Starts with averages and counts of 0. Throws as Optimizer does, and Error, naming the optimizer `who`, when a
    /// beta is outside [0, 1), epsilon is negative or not finite, or a group's parameters are on several devices.
    MomentOptimizer(std::string who, std::vector<ParameterGroup> groups, double lr, double beta1, double beta2,
                    double epsilon);

    State first_, second_;       ///< the averages of gradients and of their squares
    std::vector<Tensor> steps_;  ///< numbers of updates: per group an int64 tensor [parameters], on its device

private:
    std::string who_;
};

}  // namespace radial
