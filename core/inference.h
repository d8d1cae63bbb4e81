// What evaluation without gradients runs on: ops that fuse what training keeps apart.
#pragma once

#include "radial/core/backend.h"

namespace radial {

/// activation(conv2d(...) + residual), the residual of the result's shape or undefined: for evaluation, in one pass
/// where the device can. Throws Error where a gradient would have to flow.
Tensor conv2d_activated(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& geometry,
                        Activation activation, const Tensor& residual = {});

}  // namespace radial
