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
    RADIAL_CHECK(options_.channels >= 1, "PReLU: channels is {}, expected at least 1", options_.channels);
    weight_ = register_parameter("weight", Tensor::full({options_.channels}, options_.initial));
}

Tensor PReLU::forward(Tensor x) {
    check_input("PReLU", x);
    if (options_.channels > 1) {
        RADIAL_CHECK(x.rank() >= 2, "PReLU: input has shape {}, expected [N, {}, ...]", x.shape().str(),
                     options_.channels);
        RADIAL_CHECK(x.size(1) == options_.channels, "PReLU: input has {} channels, weight expects {}", x.size(1),
                     options_.channels);
    }
    return prelu(std::move(x), weight_);
}

Tensor SiLU::forward(Tensor x) {
    check_input("SiLU", x);
    return silu(x);
}

Tensor GELU::forward(Tensor x) {
    check_input("GELU", x);
    return gelu(x);
}

Tensor Sigmoid::forward(Tensor x) {
    check_input("Sigmoid", x);
    return sigmoid(x);
}

Tensor Tanh::forward(Tensor x) {
    check_input("Tanh", x);
    return tanh(x);
}

Dropout::Dropout(const DropoutOptions& options) : options_(options) {
    RADIAL_CHECK(options_.p >= 0 && options_.p < 1, "Dropout: p is {}, expected at least 0 and below 1", options_.p);
}

Tensor Dropout::forward(Tensor x) {
    check_input("Dropout", x);
    if (!training() || options_.p == 0) return x;
    return dropout(x, options_.p, default_generator());
}

DropConnect::DropConnect(const DropConnectOptions& options) : options_(options) {
    RADIAL_CHECK(options_.p >= 0 && options_.p < 1, "DropConnect: p is {}, expected at least 0 and below 1",
                 options_.p);
}

Tensor DropConnect::forward(Tensor x) {
    check_image_input("DropConnect", x);
    if (!training() || options_.p == 0) return x;
    const Tensor kept =
        dropout(Tensor::full({x.size(0), 1}, 1, x.dtype(), x.device()), options_.p, default_generator());
    return scale_channels(std::move(x), kept);
}

}  // namespace radial
