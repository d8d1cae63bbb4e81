// Activations and dropout: input checks and calls of their ops.
#include "radial/layers/activation.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/common.h"

#include <utility>

namespace radial {

Tensor ReLU::forward(Tensor x) {
    check_input("ReLU", x);
    return relu(std::move(x));
}

PReLU::PReLU(const PReLUOptions& options) : options_(options) {
    check_positive("PReLU", "channels", options_.channels);
    weight_ = register_parameter("weight", Tensor::full({options_.channels}, options_.initial));
}

Tensor PReLU::forward(Tensor x) {
    check_input("PReLU", x);
    if (options_.channels > 1) {
        RADIAL_CHECK(x.rank() >= 2, "PReLU: input has shape {}, expected [N, {}, ...]", x.shape().str(),
                     options_.channels);
        check_channels("PReLU", x, options_.channels);
    }
    return prelu(std::move(x), weight_);
}

Tensor SiLU::forward(Tensor x) {
    check_input("SiLU", x);
    return silu(x);
}

GELU::GELU(const GELUOptions& options) : options_(options) {}

Tensor GELU::forward(Tensor x) {
    check_input("GELU", x);
    return options_.tanh ? gelu_tanh(x) : gelu(x);
}

Tensor Sigmoid::forward(Tensor x) {
    check_input("Sigmoid", x);
    return sigmoid(x);
}

Tensor Tanh::forward(Tensor x) {
    check_input("Tanh", x);
    return tanh(x);
}

Tensor ReLU6::forward(Tensor x) {
    check_input("ReLU6", x);
    return relu6(std::move(x));
}

LeakyReLU::LeakyReLU(const LeakyReLUOptions& options) : options_(options) {}

Tensor LeakyReLU::forward(Tensor x) {
    check_input("LeakyReLU", x);
    return leaky_relu(std::move(x), options_.slope);
}

ELU::ELU(const ELUOptions& options) : options_(options) {}

Tensor ELU::forward(Tensor x) {
    check_input("ELU", x);
    return elu(x, options_.alpha);
}

Tensor SELU::forward(Tensor x) {
    check_input("SELU", x);
    return selu(x);
}

CELU::CELU(const CELUOptions& options) : options_(options) { check_above_zero("CELU", "alpha", options_.alpha); }

Tensor CELU::forward(Tensor x) {
    check_input("CELU", x);
    return celu(x, options_.alpha);
}

Tensor HardSigmoid::forward(Tensor x) {
    check_input("HardSigmoid", x);
    return hard_sigmoid(x);
}

Tensor HardSwish::forward(Tensor x) {
    check_input("HardSwish", x);
    return hard_swish(x);
}

HardTanh::HardTanh(const HardTanhOptions& options) : options_(options) {
    RADIAL_CHECK(options_.low <= options_.high, "HardTanh: from {} to {}, expected the lower bound first", options_.low,
                 options_.high);
}

Tensor HardTanh::forward(Tensor x) {
    check_input("HardTanh", x);
    return hard_tanh(x, options_.low, options_.high);
}

Tensor Mish::forward(Tensor x) {
    check_input("Mish", x);
    return mish(x);
}

Tensor Softplus::forward(Tensor x) {
    check_input("Softplus", x);
    return softplus(x);
}

Tensor Softsign::forward(Tensor x) {
    check_input("Softsign", x);
    return softsign(x);
}

Tensor LogSigmoid::forward(Tensor x) {
    check_input("LogSigmoid", x);
    return log_sigmoid(x);
}

SoftShrink::SoftShrink(const ShrinkOptions& options) : options_(options) {
    RADIAL_CHECK(options_.bound >= 0, "SoftShrink: bound is {}, expected at least 0", options_.bound);
}

Tensor SoftShrink::forward(Tensor x) {
    check_input("SoftShrink", x);
    return soft_shrink(x, options_.bound);
}

HardShrink::HardShrink(const ShrinkOptions& options) : options_(options) {
    RADIAL_CHECK(options_.bound >= 0, "HardShrink: bound is {}, expected at least 0", options_.bound);
}

Tensor HardShrink::forward(Tensor x) {
    check_input("HardShrink", x);
    return hard_shrink(x, options_.bound);
}

GLU::GLU(const GLUOptions& options) : options_(options) {}

Tensor GLU::forward(Tensor x) {
    check_input("GLU", x);
    return glu(x, options_.dim);
}

Dropout::Dropout(const DropoutOptions& options) : options_(options) {
    check_drop_probability("Dropout", "p", options_.p);
}

Tensor Dropout::forward(Tensor x) {
    check_input("Dropout", x);
    if (!training() || options_.p == 0) return x;
    return dropout(x, options_.p, default_generator());
}

DropConnect::DropConnect(const DropConnectOptions& options) : options_(options) {
    check_drop_probability("DropConnect", "p", options_.p);
}

Tensor DropConnect::forward(Tensor x) {
    check_image_input("DropConnect", x);
    if (!training() || options_.p == 0) return x;
    const Tensor kept =
        dropout(Tensor::full({x.size(0), 1}, 1, x.dtype(), x.device()), options_.p, default_generator());
    return scale_channels(std::move(x), kept);
}

}  // namespace radial
