// The row kernels of log_softmax.
//
// Sums over classes are formed in double: one lane may have 100,000 of them.
#pragma once

#include "radial/core/kernels/exponential.h"
#include "radial/core/kernels/team.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// log(sum exp z), with the maximum subtracted first.
template <class Team, class T>
RADIAL_HD T log_sum_exp(const Team& team, const T* z, std::int64_t classes) {
    const T top = team.max(classes, [=](std::int64_t j) { return z[j]; });
    if (!(top - top == 0)) return top > 0 ? top : top - top;  // an infinite or NaN maximum is the answer
    const double total =
        team.sum(classes, [=](std::int64_t j) { return static_cast<double>(exponential(z[j] - top)); });
    return top + std::log(static_cast<T>(total));
}

template <class T>
struct LogSoftmax {
    const T* x;
    T* y;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const in = x + row * classes;
        T* const out = y + row * classes;
        const T lse = log_sum_exp(team, in, classes);
        team.each(classes, [=](std::int64_t j) { out[j] = in[j] - lse; });
    }
};

/// dx = dy - softmax(x) * sum(dy); dx may be dy.
template <class T>
struct LogSoftmaxGradient {
    const T *y, *dy;
    T* dx;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T *const kept = y + row * classes, *const grad = dy + row * classes;
        T* const out = dx + row * classes;
        const T total = static_cast<T>(team.sum(classes, [=](std::int64_t j) { return static_cast<double>(grad[j]); }));
        team.each(classes, [=](std::int64_t j) { out[j] = grad[j] - exponential(kept[j]) * total; });
    }
};

}  // namespace radial::kernels
