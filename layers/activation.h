// Activation functions and dropout as layers.
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

/// y = x * Phi(x), any shape, where Phi is the distribution function of N(0, 1) (Hendrycks & Gimpel 2016).
class GELU : public Layer {
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

/// Options of Dropout.
struct DropoutOptions {
    double p = 0.5;  ///< probability that an element is zeroed, in [0, 1)
};

/// In training, zeroes each element with probability p and divides the others by 1 - p, using default_generator()
/// (Srivastava et al. 2014). In evaluation, the identity. Any shape.
class Dropout : public Layer {
public:
    using Options = DropoutOptions;  ///< for Sequential::add()

    /// Throws Error when p is outside [0, 1).
    explicit Dropout(const DropoutOptions& options = {});
    /// Throws Error when x is undefined or of an integer type.
    Tensor forward(Tensor x) override;

private:
    DropoutOptions options_;
};

/// Options of DropConnect.
struct DropConnectOptions {
    double p = 0.2;  ///< probability that an image's values are zeroed, in [0, 1)
};

/// In training, zeroes all values of an image with probability p and divides those of the other images by 1 - p, using
/// one number of default_generator() per image. This is EfficientNet's drop connect (Tan & Le 2019, 5.2), the
/// stochastic depth of Huang et al. 2016 drawn for each image. In evaluation, the identity. x [N, C, H, W]; the result
/// has the same shape.
class DropConnect : public Layer {
public:
    using Options = DropConnectOptions;  ///< for Sequential::add()

    /// Throws Error when p is outside [0, 1).
    explicit DropConnect(const DropConnectOptions& options = {});
    /// Throws Error when x is not of rank 4. Computed in place when x is a temporary that nothing else reads.
    Tensor forward(Tensor x) override;

private:
    DropConnectOptions options_;
};

}  // namespace radial
