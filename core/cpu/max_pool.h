// Max pooling on the CPU by loops of its own: oneDNN's drops NaN and raises -infinity to the lowest finite number.
#pragma once

#include "radial/core/backend.h"

namespace radial::cpu {

/// y = the maximum of each window of x; float32, both channels_last. A NaN in a window is its maximum. `taps` (int32 of
/// y's shape and layout, undefined where no gradient is wanted) receives which tap of the window won, counted row by
/// row; the first of equals.
void max_pool_forward(const Tensor& x, const PoolGeometry& geometry, const Tensor& y, const Tensor& taps);
/// dx = dy at the winning taps, 0 elsewhere.
void max_pool_backward(const Tensor& dy, const Tensor& taps, const PoolGeometry& geometry, const Tensor& dx);

}  // namespace radial::cpu
