// Pooling over height and width. Output extents round down.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/tensor.h"

namespace radial {

Tensor max_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean over the part of each window that lies inside the image.
Tensor avg_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean over all of H and W: [N, C].
Tensor global_avg_pool(const Tensor& x);

}  // namespace radial
