// Batch normalisation by kernels of our own, for devices: with the residual and ReLU in the same passes.
#pragma once

#include "radial/core/backend/backend.h"

namespace radial {

/// As the calls of Backend that bear these names, for x in float32 or bfloat16, channels_last, and vectors in float32.
/// They run on any device; nothing waits.
///
/// With a clamp and no residual, backward finds what was clamped from x again and y need not be kept; with both, it
/// reads y once. The tensor that forward returns for the former is the channels' factor, scale / sqrt(variance +
/// epsilon).
Tensor device_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                           double epsilon, Activation activation, const Tensor& mean, const Tensor& variance,
                           const Tensor& y);
void device_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads);
void device_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                       const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                       const Tensor& y);

}  // namespace radial
