// Measuring predictions where they are, without waiting for the device.
#pragma once

#include "radial/core/tensor.h"

namespace radial {

/// How many elements of `a` equal their neighbours in `b`, both int64 of one shape on one device: a float64 scalar
/// there. Throws Error when they are anything else.
Tensor count_equal(const Tensor& a, const Tensor& b);

}  // namespace radial
