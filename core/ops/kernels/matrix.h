// Small kernels around matrix products: biases, sums of columns, a factor that lies on the device.
#pragma once

#include "radial/core/kernels/values.h"

namespace radial::kernels {

/// Every row of [N, columns] becomes `row`, so that a product can be added to it.
template <class To, class From>
struct FillRows {
    const From* row;
    To* out;
    std::int64_t columns;
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const { out[r * columns + c] = convert<To>(row[c]); }
};

/// The elements of a list, as reduce() wants them.
template <class T>
struct Element {
    const T* in;
    RADIAL_HD Compute<T> operator()(std::int64_t i) const { return convert<Compute<T>>(in[i]); }
};

/// The elements of [N, columns], as reduce_columns() wants them.
template <class T>
struct MatrixElement {
    const T* in;
    std::int64_t columns;
    RADIAL_HD Compute<T> operator()(std::int64_t r, std::int64_t c) const {
        return convert<Compute<T>>(in[r * columns + c]);
    }
};

/// out = in times a factor read from the device; `out` may be `in`.
template <class To, class From>
struct ScaleBy {
    const From *in, *factor;
    To* out;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = convert<To>(in[i] * *factor); }
};

/// Sums of columns times such a factor.
template <class T>
struct StoreScaledBy {
    T* out;
    const T* factor;
    RADIAL_HD void operator()(std::int64_t c, double total) const { out[c] = static_cast<T>(total) * *factor; }
};

}  // namespace radial::kernels
