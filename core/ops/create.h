// Creates ranges of numbers and identity matrices. Tensor::zeros(), full() and from() are in core/tensor/tensor.h.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial {

/// begin, begin + step, ... up to but not including `end`: ceil((end - begin) / step) numbers, computed in float64.
/// Throws Error when a number is not finite, when `step` is 0, and when `step` leads away from `end`.
Tensor arange(double begin, double end, double step = 1, DType dtype = DType::float32,
              Device device = default_device());
/// `count` numbers at equal distances, computed in float64: the first is `begin`, the last `end`. If `count` is 1, the
/// number is `begin`. Throws Error for a negative count.
Tensor linspace(double begin, double end, std::int64_t count, DType dtype = DType::float32,
                Device device = default_device());
///@{
/// The matrix [rows, columns], square if no columns are given, with 1 on the diagonal and 0 elsewhere.
Tensor eye(std::int64_t rows, DType dtype = DType::float32, Device device = default_device());
Tensor eye(std::int64_t rows, std::int64_t columns, DType dtype = DType::float32, Device device = default_device());
///@}

}  // namespace radial
