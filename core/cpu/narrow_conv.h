// 3x3 convolutions to 12 channels, as DenseNet's layers of growth 12 have them, on channels-last images: oneDNN's AVX2
// kernels, whose vectors do not divide 12, run at a third of the processor's speed.
#pragma once

#include "radial/core/backend.h"

namespace radial {

// Each returns false, with nothing written, for other convolutions than ungrouped, undilated 3x3 ones of stride 1 from
// a number of channels that 4 divides to 12. Images are float32 and channels-last, weights [12, C, 3, 3] row-major.

/// y = x (*) w.
bool narrow_forward(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y);

/// The weights' gradient. It does not depend on the number of threads.
bool narrow_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw);

}  // namespace radial
