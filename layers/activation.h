// Activation functions as layers.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// y = max(x, 0), any shape. Computed in place when x is a temporary that nothing else reads.
class ReLU : public Layer {
public:
    /// Throws Error when x is undefined or of an integer type, as do the other activations.
    Tensor forward(Tensor x) override;
};

/// Options of PReLU.
struct PReLUOptions {
    std::int64_t channels = 1;  ///< number of slopes; 1 shares one among all channels
    double initial = 0.25;      ///< initial value of the slopes
};

/// y = x where x > 0, weight[channel] * x elsewhere (He et al. 2015). x [N, C, ...]; the result has the same shape.
/// Parameter: weight [channels], the slopes.
class PReLU : public Layer {
public:
    using Options = PReLUOptions;  ///< for Sequential::add()

    /// Throws Error when channels is below 1.
    explicit PReLU(const PReLUOptions& options = {});
    /// Throws Error when x has no channel dimension or another number of channels.
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
