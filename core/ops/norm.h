// Normalisation over the batch, over trailing dimensions or the channels of each sample, and over groups of channels.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

/// Options of batch_norm().
struct BatchNormOptions {
    double momentum = 0.1;  ///< weight of the new batch in the running statistics
    double epsilon = 1e-5;  ///< added to the variance
    bool training = true;   ///< use the batch's statistics and update the running ones; else use the running ones
    Activation activation = Activation::none;  ///< applied in the same pass, after the residual
};
/// Batch normalisation of x [N, C, H, W] or [N, C] over all dimensions but C (Ioffe & Szegedy 2015). scale, shift,
/// running_mean and running_variance are [C]. In training the running statistics are updated in place, with the
/// unbiased variance, as in PyTorch. A `residual` of x's shape is added to the result before the activation, which
/// computes the end of a residual block in one op. Throws Error when training on a single value per channel.
Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
                  const Tensor& running_variance, const BatchNormOptions& options = {}, const Tensor& residual = {});

/// Layer normalisation of x over its last extents, which must be `normalised` (Ba et al. 2016): y = (x - mean) /
/// sqrt(variance + epsilon) * weight + bias, with the mean and the biased variance of each row of normalised.numel()
/// elements. weight and bias have the shape `normalised`; undefined ones count as 1 and 0. If x is bfloat16, they are
/// float32, and the sums are float64. The result has the shape of x and is row-major. Throws Error when the extents,
/// shapes or dtypes do not fit, or epsilon is below 0.
Tensor layer_norm(const Tensor& x, const Shape& normalised, const Tensor& weight = {}, const Tensor& bias = {},
                  double epsilon = 1e-5);
/// Root-mean-square normalisation over the last extents (Zhang & Sennrich 2019): y = x / sqrt(mean(x^2) + epsilon) *
/// weight. Shapes, dtypes and errors are those of layer_norm().
Tensor rms_norm(const Tensor& x, const Shape& normalised, const Tensor& weight = {}, double epsilon = 1e-6);
/// Layer normalisation of x [N, C, H, W] over the channels of each pixel, as in ConvNeXt (Liu et al. 2022). weight and
/// bias are [C] or undefined. The result is channels_last; an x in that layout is not copied. Throws as layer_norm()
/// does.
Tensor layer_norm2d(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, double epsilon = 1e-6);
/// Group normalisation of x [N, C, ...] (Wu & He 2018): the C channels form `groups` groups of adjacent ones, and each
/// group of each sample is normalised by its own mean and biased variance, over the channels of the group and all
/// further dimensions; then channel c is multiplied by weight[c] and bias[c] is added. weight and bias are [C];
/// undefined ones count as 1 and 0; they are float32 if x is bfloat16. The result has the shape and layout of x.
/// Throws Error when `groups` does not divide C, shapes or dtypes do not fit, or epsilon is below 0.
Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double epsilon = 1e-5);
/// Instance normalisation of x [N, C, ...] (Ulyanov et al. 2016): group_norm() with one group per channel. Throws Error
/// where group_norm() does, and also when a channel of an image has a single value, as PyTorch does.
Tensor instance_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, double epsilon = 1e-5);

}  // namespace radial
