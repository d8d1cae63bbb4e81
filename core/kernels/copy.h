// Kernels that set, convert and rearrange elements.
#pragma once

#include "radial/core/kernels/bfloat16.h"
#include "radial/core/kernels/host_device.h"

#include <cstdint>
#include <type_traits>

namespace radial::kernels {

/// `value` as another type; bfloat16 is reached, and left, by way of float.
template <class To, class From>
RADIAL_HD To convert(From value) {
    if constexpr (std::is_same_v<To, From>) {
        return value;
    } else if constexpr (std::is_same_v<To, bfloat16>) {
        return bfloat16(static_cast<float>(value));
    } else if constexpr (std::is_same_v<From, bfloat16>) {
        return static_cast<To>(static_cast<float>(value));
    } else {
        return static_cast<To>(value);
    }
}

template <class T>
struct Fill {
    T* out;
    T value;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = value; }
};

template <class To, class From>
struct Convert {
    const From* in;
    To* out;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = convert<To>(in[i]); }
};

/// Element i of [batch, columns, rows] from [batch, rows, columns].
template <class T>
struct SwapPlanes {
    const T* in;
    T* out;
    std::int64_t rows, columns;
    RADIAL_HD void operator()(std::int64_t batch_and_column, std::int64_t row) const {
        const std::int64_t batch = batch_and_column / columns, column = batch_and_column % columns;
        out[batch_and_column * rows + row] = in[(batch * rows + row) * columns + column];
    }
};

}  // namespace radial::kernels
