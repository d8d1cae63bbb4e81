// Functors that fill, convert and transpose arrays.
#pragma once

#include "radial/core/kernels/bfloat16.h"
#include "radial/core/kernels/host_device.h"

#include <cstdint>
#include <type_traits>

namespace radial::kernels {

/// Converts a number to another type; from and to bfloat16 by way of float.
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

/// Sets every element to one value.
template <class T>
struct Fill {
    T* out;                                                              ///< destination
    T value;                                                             ///< the value
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = value; }  ///< for element i
};

/// Converts every element to another type.
template <class To, class From>
struct Convert {
    const From* in;                                                                   ///< source
    To* out;                                                                          ///< destination
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = convert<To>(in[i]); }  ///< for element i
};

/// Transposes the planes of a batch: [batch, rows, columns] to [batch, columns, rows].
template <class T>
struct SwapPlanes {
    const T* in;                 ///< source
    T* out;                      ///< destination
    std::int64_t rows, columns;  ///< extents of a source plane
    /// Writes the element of row `row` in plane and column `batch_and_column` = batch * columns + column.
    RADIAL_HD void operator()(std::int64_t batch_and_column, std::int64_t row) const {
        const std::int64_t batch = batch_and_column / columns, column = batch_and_column % columns;
        out[batch_and_column * rows + row] = in[(batch * rows + row) * columns + column];
    }
};

}  // namespace radial::kernels
