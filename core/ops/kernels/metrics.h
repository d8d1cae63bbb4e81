// Kernels that measure predictions.
#pragma once

#include "radial/core/kernels/host_device.h"

#include <cstdint>

namespace radial::kernels {

/// 1 where two indices agree, else 0.
struct Agree {
    const std::int64_t *a, *b;
    RADIAL_HD double operator()(std::int64_t i) const { return a[i] == b[i] ? 1.0 : 0.0; }
};

}  // namespace radial::kernels
