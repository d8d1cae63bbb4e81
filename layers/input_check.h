// Checks of a layer's input, so that the error names the layer and not an op.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <string_view>

namespace radial {

/// Throws Error unless `x` is defined and of a floating type: "ReLU: input is undefined",
/// "ReLU: input is int64[3], expected float32 or float64".
void check_input(std::string_view layer, const Tensor& x);

/// Throws as check_input() does, and Error unless `x` is [N, C, H, W]: "Conv2d: input has shape [3, 4], expected [N, C,
/// H, W]".
void check_image_input(std::string_view layer, const Tensor& x);

}  // namespace radial
