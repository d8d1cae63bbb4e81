// Batch normalisation.
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
    bool training = true;   ///< use the batch's statistics and update the running ones, or use the running ones
    Activation activation = Activation::none;  ///< applied in the same pass, after the residual
};
/// Batch normalisation of x [N, C, H, W] or [N, C] over all dimensions but C (Ioffe & Szegedy 2015). scale, shift,
/// running_mean and running_variance are [C]. In training the running statistics are updated in place, with the
/// unbiased variance, as in PyTorch. A `residual` of x's shape is added to the result before the activation, which
/// computes the end of a residual block in one op. Throws Error when training on a single value per channel.
Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
                  const Tensor& running_variance, const BatchNormOptions& options = {}, const Tensor& residual = {});

}  // namespace radial
