// BatchNorm2d: checks, parameters and buffers, and the call of the op.
#include "radial/layers/batch_norm.h"

#include "radial/core/ops.h"
#include "radial/layers/input_check.h"

namespace radial {

BatchNorm2d::BatchNorm2d(const BatchNorm2dOptions& options) : options_(options) {
    RADIAL_CHECK(options_.channels >= 1, "BatchNorm2d: channels is {}, expected at least 1", options_.channels);
    RADIAL_CHECK(options_.momentum >= 0 && options_.momentum <= 1, "BatchNorm2d: momentum is {}, expected 0 to 1",
                 options_.momentum);
    RADIAL_CHECK(options_.epsilon > 0, "BatchNorm2d: epsilon is {}, expected above 0", options_.epsilon);
    weight_ = register_parameter("weight", Tensor::full({options_.channels}, 1.0));
    bias_ = register_parameter("bias", Tensor::zeros({options_.channels}));
    running_mean_ = register_buffer("running_mean", Tensor::zeros({options_.channels}), BufferKind::statistic);
    running_var_ = register_buffer("running_var", Tensor::full({options_.channels}, 1.0), BufferKind::statistic);
}

Tensor BatchNorm2d::forward(Tensor x) { return forward(x, {}); }

Tensor BatchNorm2d::forward(const Tensor& x, const Tensor& residual) {
    check_image_input("BatchNorm2d", x);
    RADIAL_CHECK(x.size(1) == options_.channels, "BatchNorm2d: input has {} channels, weight expects {}", x.size(1),
                 options_.channels);
    return batch_norm(x, weight_, bias_, running_mean_, running_var_,
                      {.momentum = options_.momentum,
                       .epsilon = options_.epsilon,
                       .training = training(),
                       .activation = options_.activation},
                      residual);
}

}  // namespace radial
