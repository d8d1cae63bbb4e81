// Batch normalisation over the batches of several ranks.
#pragma once

#include "radial/core/distributed/communicator.h"
#include "radial/core/ops.h"

namespace radial::ops {

/// batch_norm() while training, of checked arguments, x [N, C, H, W], with the statistics of all ranks' x, and no
/// activation but a ReLU. Forward and backward each sum 2 C numbers over the ranks. Throws what those sums throw, and
/// Error for an x without elements.
Tensor batch_norm_over_ranks(Communicator& ranks, const Tensor& x, const Tensor& scale, const Tensor& shift,
                             const Tensor& running_mean, const Tensor& running_variance,
                             const BatchNormOptions& options, const Tensor& residual);

}  // namespace radial::ops
