// Batch normalisation.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

struct BatchNormOptions {
    double momentum = 0.1;                     ///< weight of the new batch in the running statistics
    double epsilon = 1e-5;                     ///< added to the variance
    bool training = true;                      ///< batch statistics (and running ones updated) or the running ones
    Activation activation = Activation::none;  ///< in the same pass, after the residual
};
/// Batch normalisation over N, H, W (Ioffe & Szegedy 2015). scale, shift, running_mean, running_variance: [C];
/// the running statistics are updated in place when training, the variance unbiased, as PyTorch does.
/// A `residual` of x's shape is added to the result before the activation: how a residual block ends, in one op.
/// Also takes x [N, C]. Throws Error when training on a single value a channel.
Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
                  const Tensor& running_variance, const BatchNormOptions& options = {}, const Tensor& residual = {});

}  // namespace radial
