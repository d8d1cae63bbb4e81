// Kernels of the logarithm of a sum of exponentials along rows.
#pragma once

#include "radial/core/kernels/team.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace radial::kernels {

/// out = log(sum over c of exp(in[row, c])); the sum is formed in double. -inf where every element is.
template <class T>
struct LogSumExpRow {
    const T* in;
    T* out;
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const from = in + row * columns;
        T* const to = out + row;
        const T top = team.max(columns, [=](std::int64_t c) { return from[c]; });
        T result = top;
        if (top - top == 0) {  // else an infinite or NaN maximum is the answer
            const double total =
                team.sum(columns, [=](std::int64_t c) { return static_cast<double>(std::exp(from[c] - top)); });
            result = top + static_cast<T>(std::log(total));
        }
        team.once([&] { *to = result; });
    }
};

/// dx = dy * exp(x - y), where exp(-inf) is 0 whatever y is; dx may be x.
template <class T>
struct LogSumExpGradient {
    const T *x, *y, *dy;
    T* dx;
    std::int64_t columns;
    RADIAL_HD void operator()(std::int64_t row, std::int64_t c) const {
        const T v = x[row * columns + c], share = std::exp(v - y[row]), grad = dy[row];
        dx[row * columns + c] = v == -std::numeric_limits<T>::infinity() ? T{0} : grad * share;
    }
};

}  // namespace radial::kernels
