// The logarithm of a sum of exponentials, kept in two parts, and the row kernels of log_softmax and log_sum_exp.
//
// One number of 24 bits cannot hold it: where the terms are thousands, what is left of it behind the point is too
// coarse for exp(term - sum) to be a probability. The largest term and the logarithm of the rest can.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// log(1 + exp(v)).
template <class T>
RADIAL_HD T soft_plus(T v) {
    return v > 0 ? v + std::log1p(std::exp(-v)) : std::log1p(std::exp(v));
}
/// Its derivative.
template <class T>
RADIAL_HD T logistic(T v) {
    if (v < 0) {
        const T e = std::exp(v);
        return e / (1 + e);
    }
    return 1 / (1 + std::exp(-v));
}

/// log(sum of exp(term)) = top + log. An infinite or NaN `top` is all of it; -inf stands for no term.
template <class T>
struct LogSum {
    T top;  ///< the largest term
    T log;  ///< of the sum of exp(term - top)

    RADIAL_HD T value() const { return top + log; }
    /// term - value(), without a rounding of the size of either.
    RADIAL_HD T relative(T term) const { return (term - top) - log; }
    /// exp(term) as a part of the sum.
    RADIAL_HD T share(T term) const { return std::exp(relative(term)); }
};

/// Of z(j) for j in [0, n).
template <class Team, class Z>
RADIAL_HD auto log_sum(const Team& team, std::int64_t n, const Z& z) {
    using T = Returned<Z>;
    const T top = team.max(n, z);
    if (!(top - top == 0)) return LogSum<T>{top, T{0}};
    const double total = team.sum(n, [=](std::int64_t j) { return static_cast<double>(exponential(z(j) - top)); });
    return LogSum<T>{top, static_cast<T>(std::log(total))};
}

/// Of z(j) for the j in [0, n) with in(j), and of 0 if `start` is 1 rather than 0.
template <class T, class Team, class In, class Z>
RADIAL_HD LogSum<T> log_sum_of(const Team& team, std::int64_t n, int start, const In& in, const Z& z) {
    T top = team.max(n, [&](std::int64_t j) { return in(j) ? z(j) : -infinity<T>; });
    if (start > 0 && top < 0) top = 0;
    if (!(top - top == 0)) return {top, T{0}};
    const double total =
        team.sum(n, [&](std::int64_t j) { return in(j) ? static_cast<double>(std::exp(z(j) - top)) : 0.0; });
    // log1p keeps what is far below 1 when nothing but `start` is large.
    if (start > 0 && top == 0) return {top, static_cast<T>(std::log1p(total))};
    const double all = start > 0 ? total + std::exp(-static_cast<double>(top)) : total;
    return {top, static_cast<T>(std::log(all))};
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
        const LogSum<T> all = log_sum(team, classes, [=](std::int64_t j) { return in[j]; });
        team.each(classes, [=](std::int64_t j) { out[j] = all.relative(in[j]); });
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

/// out = log(sum over c of exp(in[row, c])), and its two parts. -inf where every element is.
template <class T>
struct LogSumExpRow {
    const T* in;
    T *out, *tops, *logs;  ///< [rows]
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const from = in + row * columns;
        const LogSum<T> all = log_sum(team, columns, [=](std::int64_t c) { return from[c]; });
        T *const to = out + row, *const top = tops + row, *const log = logs + row;
        team.once([=] {
            *to = all.value();
            *top = all.top;
            *log = all.log;
        });
    }
};

/// dx = dy * exp(x - y), where exp(-inf) is 0 whatever y is; dx may be x.
template <class T>
struct LogSumExpGradient {
    const T *x, *tops, *logs, *dy;
    T* dx;
    std::int64_t columns;
    RADIAL_HD void operator()(std::int64_t row, std::int64_t c) const {
        const T v = x[row * columns + c], grad = dy[row];
        const T share = LogSum<T>{tops[row], logs[row]}.share(v);
        dx[row * columns + c] = v == -infinity<T> ? T{0} : grad * share;
    }
};

}  // namespace radial::kernels
