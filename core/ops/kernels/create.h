// Kernels that compute elements from their positions.
#pragma once

#include "radial/core/kernels/values.h"

#include <cstdint>

namespace radial::kernels {

/// Numbers at equal distances: `first` + i * `step` for the first `half` numbers, and `last` - (count - 1 - i) * `step`
/// for the others.
template <class T>
struct Sequence {
    T* out;
    double first, last, step;
    std::int64_t count, half;
    RADIAL_HD void operator()(std::int64_t i) const {
        const double from_first = first + static_cast<double>(i) * step;
        const double from_last = last - static_cast<double>(count - 1 - i) * step;
        out[i] = convert<T>(i < half ? from_first : from_last);
    }
};

/// 1 on the diagonal and 0 elsewhere.
template <class T>
struct Identity {
    T* out;
    std::int64_t columns;
    RADIAL_HD void operator()(std::int64_t row, std::int64_t c) const {
        out[row * columns + c] = convert<T>(row == c ? 1.0F : 0.0F);
    }
};

}  // namespace radial::kernels
