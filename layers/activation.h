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
    std::int64_t channels = 1;  ///< number of slopes; with 1, all channels share it
    double initial = 0.25;      ///< initial value of the slopes
};

/// y = x where x > 0, weight[channel] * x elsewhere (He et al. 2015). x is [N, C, ...], where C is arbitrary with a
/// single slope and `channels` otherwise; the result has the same shape. Parameter: weight [channels], the slopes.
class PReLU : public Layer {
public:
    using Options = PReLUOptions;  ///< for Sequential::add()

    /// Throws Error when channels is below 1.
    explicit PReLU(const PReLUOptions& options = {});
    /// Throws Error when x has no channel dimension and, with more than one slope, when it has another number of
    /// channels.
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

/// Options of GELU.
struct GELUOptions {
    bool tanh = false;  ///< approximate Phi by a hyperbolic tangent, as gelu_tanh() does
};

/// y = x * Phi(x), any shape, where Phi is the distribution function of N(0, 1) (Hendrycks & Gimpel 2016).
class GELU : public Layer {
public:
    using Options = GELUOptions;  ///< for Sequential::add()

    /// Uses the approximation if `options.tanh` is set.
    explicit GELU(const GELUOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    GELUOptions options_;
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

/// y = min(max(x, 0), 6), any shape (Howard et al. 2017). Computed in place like ReLU.
class ReLU6 : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// Options of LeakyReLU.
struct LeakyReLUOptions {
    double slope = 0.01;  ///< slope where x < 0
};

/// y = x where x > 0, slope * x elsewhere, any shape (Maas et al. 2013).
class LeakyReLU : public Layer {
public:
    using Options = LeakyReLUOptions;  ///< for Sequential::add()

    /// Uses the slope of `options`.
    explicit LeakyReLU(const LeakyReLUOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    LeakyReLUOptions options_;
};

/// Options of ELU.
struct ELUOptions {
    double alpha = 1;  ///< the result approaches -alpha for x towards -infinity
};

/// y = x where x > 0, alpha * (exp(x) - 1) elsewhere, any shape (Clevert et al. 2016).
class ELU : public Layer {
public:
    using Options = ELUOptions;  ///< for Sequential::add()

    /// Uses the alpha of `options`.
    explicit ELU(const ELUOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    ELUOptions options_;
};

/// y = 1.0507 * x where x > 0, 1.7581 * (exp(x) - 1) elsewhere, any shape (Klambauer et al. 2017).
class SELU : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// Options of CELU.
struct CELUOptions {
    double alpha = 1;  ///< the result approaches -alpha for x towards -infinity; above 0
};

/// y = x where x > 0, alpha * (exp(x / alpha) - 1) elsewhere, any shape (Barron 2017).
class CELU : public Layer {
public:
    using Options = CELUOptions;  ///< for Sequential::add()

    /// Throws Error unless alpha is above 0.
    explicit CELU(const CELUOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    CELUOptions options_;
};

/// y = relu6(x + 3) / 6, any shape (Howard et al. 2019).
class HardSigmoid : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// y = x * relu6(x + 3) / 6, any shape (Howard et al. 2019).
class HardSwish : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// Options of HardTanh.
struct HardTanhOptions {
    double low = -1;  ///< smallest result
    double high = 1;  ///< largest result
};

/// y = x limited to [low, high], any shape.
class HardTanh : public Layer {
public:
    using Options = HardTanhOptions;  ///< for Sequential::add()

    /// Throws Error unless low <= high.
    explicit HardTanh(const HardTanhOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    HardTanhOptions options_;
};

/// y = x * tanh(log(1 + exp(x))), any shape (Misra 2020).
class Mish : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// y = log(1 + exp(x)), any shape.
class Softplus : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// y = x / (1 + |x|), any shape (Turian et al. 2009).
class Softsign : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// y = log(1 / (1 + exp(-x))), any shape.
class LogSigmoid : public Layer {
public:
    Tensor forward(Tensor x) override;
};

/// Options of SoftShrink and HardShrink.
struct ShrinkOptions {
    double bound = 0.5;  ///< values of at most this magnitude become 0; at least 0
};

/// y = x - sign(x) * bound where |x| > bound, 0 elsewhere, any shape.
class SoftShrink : public Layer {
public:
    using Options = ShrinkOptions;  ///< for Sequential::add()

    /// Throws Error when the bound is below 0.
    explicit SoftShrink(const ShrinkOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    ShrinkOptions options_;
};

/// y = x where |x| > bound, 0 elsewhere, any shape.
class HardShrink : public Layer {
public:
    using Options = ShrinkOptions;  ///< for Sequential::add()

    /// Throws Error when the bound is below 0.
    explicit HardShrink(const ShrinkOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    ShrinkOptions options_;
};

/// Options of GLU.
struct GLUOptions {
    int dim = -1;  ///< dimension that is halved; counted from the end if negative
};

/// y = a * sigmoid(b), where a and b are the halves of x along one dimension (Dauphin et al. 2017).
class GLU : public Layer {
public:
    using Options = GLUOptions;  ///< for Sequential::add()

    /// Uses the dimension of `options`.
    explicit GLU(const GLUOptions& options = {});
    /// Throws Error when x has no such dimension or its extent is odd.
    Tensor forward(Tensor x) override;

private:
    GLUOptions options_;
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
