// Printing tensors.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <iosfwd>

namespace radial {

/// Writes type, shape and elements, as in
///
///     float32[2, 3]
///     [[0.5, 1, -2],
///      [3, 4.25, 1e-05]]
///
/// with up to six significant digits. In a tensor of more than 1000 elements, only the first and last three of a
/// dimension longer than 8 are shown. Waits for the tensor's device.
std::ostream& operator<<(std::ostream& stream, const Tensor& tensor);

}  // namespace radial
