// What ops do where activations are bfloat16 and the weights that they meet are float32.
#pragma once

#include "radial/core/ops/common.h"

namespace radial::ops {

/// Throws Error unless `weight` is on `x`'s device and has its dtype, or is float32 beside a bfloat16 `x`.
inline void check_weight(std::string_view op, const Tensor& x, std::string_view what, const Tensor& weight) {
    const bool mixed = x.dtype() == DType::bfloat16 && weight.defined() && weight.dtype() == DType::float32;
    if (!mixed) return check_alike(op, x, what, weight);
    RADIAL_CHECK(x.device() == weight.device(), "{}: {} is on {}, expected {}", op, what, weight.device().str(),
                 x.device().str());
}

}  // namespace radial::ops
