// Normalisation layers: checks, initial weights, and calls of their ops.
#include "radial/layers/norm.h"

#include "radial/core/ops.h"
#include "radial/layers/common.h"

#include <algorithm>
#include <string_view>

namespace radial {
namespace {

/// Throws Error unless `shape` has at least one extent, each extent is at least 1, and epsilon is above 0.
void check_shape(std::string_view layer, const Shape& shape, double epsilon) {
    const bool fits = shape.rank() > 0 && std::all_of(shape.begin(), shape.end(), [](auto e) { return e >= 1; });
    RADIAL_CHECK(fits, "{}: shape is {}, expected at least one extent, each at least 1", layer, shape.str());
    check_above_zero(layer, "epsilon", epsilon);
}

/// Throws Error unless the last extents of x are `shape`.
void check_trailing(std::string_view layer, const Tensor& x, const Shape& shape) {
    check_input(layer, x);
    const int first = x.rank() - shape.rank();
    const bool fits = first >= 0 && std::equal(shape.begin(), shape.end(), x.shape().begin() + std::max(first, 0));
    RADIAL_CHECK(fits, "{}: input has shape {}, expected {} as its last extents", layer, x.shape().str(), shape.str());
}

}  // namespace

BatchNorm::BatchNorm(std::string_view layer, const BatchNorm2dOptions& options) : options_(options) {
    check_positive(layer, "channels", options_.channels);
    RADIAL_CHECK(options_.momentum >= 0 && options_.momentum <= 1, "{}: momentum is {}, expected 0 to 1", layer,
                 options_.momentum);
    check_above_zero(layer, "epsilon", options_.epsilon);
    const Tensor ones = Tensor::full({options_.channels}, 1.0);
    weight_ = options_.scale ? register_parameter("weight", ones) : register_buffer("weight", ones, BufferKind::state);
    bias_ = register_parameter("bias", Tensor::zeros({options_.channels}));
    running_mean_ = register_buffer("running_mean", Tensor::zeros({options_.channels}), BufferKind::statistic);
    running_var_ = register_buffer("running_var", Tensor::full({options_.channels}, 1.0), BufferKind::statistic);
}

Tensor BatchNorm::normalise(std::string_view layer, const Tensor& x, const Tensor& residual) const {
    check_channels(layer, x, options_.channels);
    return batch_norm(x, weight_, bias_, running_mean_, running_var_,
                      {.momentum = options_.momentum,
                       .epsilon = options_.epsilon,
                       .training = training(),
                       .activation = options_.activation},
                      residual);
}

BatchNorm2d::BatchNorm2d(const BatchNorm2dOptions& options) : BatchNorm("BatchNorm2d", options) {}

Tensor BatchNorm2d::forward(Tensor x) { return forward(x, {}); }

Tensor BatchNorm2d::forward(const Tensor& x, const Tensor& residual) {
    check_image_input("BatchNorm2d", x);
    return normalise("BatchNorm2d", x, residual);
}

BatchNorm1d::BatchNorm1d(const BatchNorm1dOptions& options) : BatchNorm("BatchNorm1d", options) {}

Tensor BatchNorm1d::forward(Tensor x) {
    check_input("BatchNorm1d", x);
    RADIAL_CHECK(x.rank() == 2 || x.rank() == 3, "BatchNorm1d: input has shape {}, expected [N, C] or [N, C, L]",
                 x.shape().str());
    if (x.rank() == 2) return normalise("BatchNorm1d", x);
    return reshape(normalise("BatchNorm1d", reshape(x, {x.size(0), x.size(1), x.size(2), 1})), x.shape());
}

LayerNorm::LayerNorm(const LayerNormOptions& options) : options_(options) {
    check_shape("LayerNorm", options_.shape, options_.epsilon);
    if (!options_.affine) return;
    weight_ = register_parameter("weight", Tensor::full(options_.shape, 1.0));
    if (options_.bias) bias_ = register_parameter("bias", Tensor::zeros(options_.shape));
}

Tensor LayerNorm::forward(Tensor x) {
    check_trailing("LayerNorm", x, options_.shape);
    return layer_norm(x, options_.shape, weight_, bias_, options_.epsilon);
}

LayerNorm2d::LayerNorm2d(const LayerNorm2dOptions& options) : options_(options) {
    check_positive("LayerNorm2d", "channels", options_.channels);
    check_above_zero("LayerNorm2d", "epsilon", options_.epsilon);
    weight_ = register_parameter("weight", Tensor::full({options_.channels}, 1.0));
    bias_ = register_parameter("bias", Tensor::zeros({options_.channels}));
}

Tensor LayerNorm2d::forward(Tensor x) {
    check_image_input("LayerNorm2d", x);
    check_channels("LayerNorm2d", x, options_.channels);
    return layer_norm2d(x, weight_, bias_, options_.epsilon);
}

GroupNorm::GroupNorm(const GroupNormOptions& options) : options_(options) {
    check_positive("GroupNorm", "groups", options_.groups);
    check_positive("GroupNorm", "channels", options_.channels);
    RADIAL_CHECK(options_.channels % options_.groups == 0, "GroupNorm: groups {} does not divide channels {}",
                 options_.groups, options_.channels);
    check_above_zero("GroupNorm", "epsilon", options_.epsilon);
    if (!options_.affine) return;
    weight_ = register_parameter("weight", Tensor::full({options_.channels}, 1.0));
    bias_ = register_parameter("bias", Tensor::zeros({options_.channels}));
}

Tensor GroupNorm::forward(Tensor x) {
    check_input("GroupNorm", x);
    RADIAL_CHECK(x.rank() >= 2, "GroupNorm: input has shape {}, expected [N, C, ...]", x.shape().str());
    check_channels("GroupNorm", x, options_.channels);
    return group_norm(x, options_.groups, weight_, bias_, options_.epsilon);
}

InstanceNorm2d::InstanceNorm2d(const InstanceNorm2dOptions& options) : options_(options) {
    check_positive("InstanceNorm2d", "channels", options_.channels);
    check_above_zero("InstanceNorm2d", "epsilon", options_.epsilon);
    if (!options_.affine) return;
    weight_ = register_parameter("weight", Tensor::full({options_.channels}, 1.0));
    bias_ = register_parameter("bias", Tensor::zeros({options_.channels}));
}

Tensor InstanceNorm2d::forward(Tensor x) {
    check_image_input("InstanceNorm2d", x);
    check_channels("InstanceNorm2d", x, options_.channels);
    return instance_norm(x, weight_, bias_, options_.epsilon);
}

RMSNorm::RMSNorm(const RMSNormOptions& options) : options_(options) {
    check_shape("RMSNorm", options_.shape, options_.epsilon);
    if (options_.affine) weight_ = register_parameter("weight", Tensor::full(options_.shape, 1.0));
}

Tensor RMSNorm::forward(Tensor x) {
    check_trailing("RMSNorm", x, options_.shape);
    return rms_norm(x, options_.shape, weight_, options_.epsilon);
}

}  // namespace radial
