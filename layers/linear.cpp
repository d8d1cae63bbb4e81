// Linear and Flatten: checks, initial weights, and calls of their ops.
#include "radial/layers/linear.h"

#include "radial/core/nn/initialize.h"
#include "radial/core/ops.h"
#include "radial/layers/common.h"

#include <cmath>

namespace radial {

Linear::Linear(const LinearOptions& options) : options_(options) {
    RADIAL_CHECK(options_.in_features >= 1 && options_.out_features >= 1,
                 "Linear: in_features {} and out_features {} must each be at least 1", options_.in_features,
                 options_.out_features);
    weight_ = register_parameter("weight", Tensor::empty({options_.out_features, options_.in_features}));
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0));
    if (!options_.bias) return;
    bias_ = register_parameter("bias", Tensor::empty({options_.out_features}));
    init::bias_uniform_(bias_, options_.in_features);
}

Tensor Linear::forward(Tensor x) {
    check_input("Linear", x);
    RADIAL_CHECK(x.rank() >= 1, "Linear: input has shape {}, expected [..., {}]", x.shape().str(),
                 options_.in_features);
    RADIAL_CHECK(x.size(-1) == options_.in_features, "Linear: input has {} features, weight expects {}", x.size(-1),
                 options_.in_features);
    return linear(x, weight_, bias_);
}

Tensor Flatten::forward(Tensor x) {
    check_input("Flatten", x);
    RADIAL_CHECK(x.rank() >= 2, "Flatten: input has shape {}, expected [N, ...]", x.shape().str());
    return flatten(x);
}

}  // namespace radial
