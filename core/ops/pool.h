// Pooling over height and width. Output extents are rounded down.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

/// The maximum of each window of x [N, C, H, W]. Padding never wins.
Tensor max_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean over the part of each window of x [N, C, H, W] that lies inside the image.
Tensor avg_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean of x [N, C, H, W] over H and W: [N, C].
Tensor global_avg_pool(const Tensor& x);

}  // namespace radial
