// Activation functions as layers.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// y = max(x, 0), any shape. Overwrites a temporary that nothing else reads.
class ReLU : public Layer {
public:
    /// Throws Error when x is undefined or of an integer type; so do the other activations.
    Tensor forward(Tensor x) override;
};

struct PReLUOptions {
    std::int64_t channels = 1;  ///< 1 shares one slope among all channels
    double initial = 0.25;      ///< the slopes' first value
};

/// y = x where x > 0, weight[channel] * x elsewhere (He et al. 2015). x [N, C, ...] to the same shape.
/// Parameter: weight [channels], the slopes.
class PReLU : public Layer {
public:
    using Options = PReLUOptions;

    /// Throws Error when channels is below 1.
    explicit PReLU(const PReLUOptions& options = {});
    /// Throws Error when x has no channel dimension or other channels.
    Tensor forward(Tensor x) override;

private:
    PReLUOptions options_;
    Tensor weight_;
};

/// y = x * sigmoid(x), any shape (Elfwing et al. 2018).
class SiLU : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// y = 1 / (1 + exp(-x)), any shape.
class Sigmoid : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// y = tanh(x), any shape.
class Tanh : public Layer {
public:
    Tensor forward(Tensor x) override;
};

}  // namespace radial
