// Checks and default values of weights and biases, shared by the normalisations. This header is not installed.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <string_view>

namespace radial::ops {

/// Throws Error unless `vector` is undefined, or of the shape `expected`, on the device of `x` and of its dtype
/// (float32 for bfloat16).
void check_norm_vector(std::string_view op, const Tensor& x, std::string_view what, const Tensor& vector,
                       const Shape& expected);
/// Throws Error when epsilon is below 0 or NaN.
void check_epsilon(std::string_view op, double epsilon);
/// Returns `vector` in row-major order. If it is undefined, returns a vector [count] filled with `otherwise`, on the
/// device of `x` and in the dtype that check_norm_vector() requires.
Tensor vector_or(const Tensor& vector, double otherwise, std::int64_t count, const Tensor& x);

}  // namespace radial::ops
