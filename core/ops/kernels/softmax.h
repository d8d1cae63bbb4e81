// The row kernels of softmax and log_softmax, and those for a dimension that is not the last in memory.
#pragma once

#include "radial/core/ops/kernels/reduce.h"

namespace radial::kernels {

/// y = exp(x - log_sum_exp(x)) for row `row` of x [rows, classes].
template <class T>
struct Softmax {
    const T* x;
    T* y;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const T* const in = x + row * classes;
        T* const out = y + row * classes;
        const C top = team.max(classes, [=](std::int64_t j) { return convert<C>(in[j]); });
        if constexpr (std::is_same_v<T, C>) {  // exponentials are computed once and kept in y
            team.each(classes, [=](std::int64_t j) { out[j] = exponential(in[j] - top); });
            const double total = team.sum(classes, [=](std::int64_t j) { return static_cast<double>(out[j]); });
            const C factor = static_cast<C>(1 / total);
            team.each(classes, [=](std::int64_t j) { out[j] *= factor; });
        } else {
            const auto term = [=](std::int64_t j) { return exponential(convert<C>(in[j]) - top); };
            const double total = team.sum(classes, [=](std::int64_t j) { return static_cast<double>(term(j)); });
            const C factor = static_cast<C>(1 / total);
            team.each(classes, [=](std::int64_t j) { out[j] = convert<T>(term(j) * factor); });
        }
    }
};

/// dx = y * (dy - sum(dy * y)). dx may equal dy.
template <class T>
struct SoftmaxGradient {
    const T *y, *dy;
    T* dx;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const T *const kept = y + row * classes, *const grad = dy + row * classes;
        T* const out = dx + row * classes;
        const C total = static_cast<C>(
            team.sum(classes, [=](std::int64_t j) { return convert<double>(grad[j]) * convert<double>(kept[j]); }));
        team.each(classes,
                  [=](std::int64_t j) { out[j] = convert<T>(convert<C>(kept[j]) * (convert<C>(grad[j]) - total)); });
    }
};

/// y = x - log_sum_exp(x). y may equal x.
template <class T>
struct LogSoftmax {
    const T* x;
    T* y;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const T* const in = x + row * classes;
        T* const out = y + row * classes;
        const LogSum<C> all = log_sum(team, classes, [=](std::int64_t j) { return convert<C>(in[j]); });
        team.each(classes, [=](std::int64_t j) { out[j] = convert<T>(all.relative(convert<C>(in[j]))); });
    }
};

/// dx = dy - softmax(x) * sum(dy). dx may equal dy.
template <class T>
struct LogSoftmaxGradient {
    const T *y, *dy;
    T* dx;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const T *const kept = y + row * classes, *const grad = dy + row * classes;
        T* const out = dx + row * classes;
        const C total = static_cast<C>(team.sum(classes, [=](std::int64_t j) { return convert<double>(grad[j]); }));
        team.each(classes, [=](std::int64_t j) {
            out[j] = convert<T>(convert<C>(grad[j]) - exponential(convert<C>(kept[j])) * total);
        });
    }
};

// Softmax and log_softmax along the middle of [outer, extent, inner]. A team handles adjacent columns i of one o, so
// that consecutive lanes access consecutive memory.

/// The columns of a team: `width` columns of x [outer, extent, inner], beginning at a multiple of Columns::most in
/// `inner`.
struct Columns {
    static constexpr std::int64_t most = 128;
    std::int64_t start;   ///< offset of the first element of the first column
    std::int64_t number;  ///< index of the first column among all outer * inner
    std::int64_t width;

    /// The number of tasks for one index in `outer`.
    RADIAL_HD static std::int64_t tasks(std::int64_t inner) { return (inner + most - 1) / most; }
    RADIAL_HD static Columns of(std::int64_t task, std::int64_t extent, std::int64_t inner) {
        const std::int64_t o = task / tasks(inner), first = task % tasks(inner) * most;
        const std::int64_t left = inner - first;
        return {o * extent * inner + first, o * inner + first, left < most ? left : most};
    }
};

/// Softmax (Log == false) or LogSoftmax along the middle dimension. `tops` and `totals` are scratch memory.
template <class T, bool Log>
struct SoftmaxAlong {
    const T* x;
    T* y;
    Compute<T>* tops;  ///< [outer, inner]
    double* totals;    ///< [outer, inner]
    std::int64_t extent, inner;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t task) const {
        using C = Compute<T>;
        const Columns at = Columns::of(task, extent, inner);
        C* const top = tops + at.number;
        double* const total = totals + at.number;
        team.each(at.width, [=](std::int64_t i) {
            top[i] = -infinity<C>;
            total[i] = 0;
        });
        for (std::int64_t e = 0; e < extent; ++e) {
            const T* const in = x + at.start + e * inner;
            team.each(at.width, [=](std::int64_t i) { top[i] = larger(top[i], convert<C>(in[i])); });
        }
        if constexpr (Log) {  // as in log_sum(), where an infinite maximum is the result
            team.each(at.width, [=](std::int64_t i) { total[i] = top[i] - top[i] == 0 ? 0.0 : 1.0; });
        }
        for (std::int64_t e = 0; e < extent; ++e) {
            const T* const in = x + at.start + e * inner;
            team.each(at.width, [=](std::int64_t i) {
                const double term = static_cast<double>(exponential(convert<C>(in[i]) - top[i]));
                total[i] += Log && !(top[i] - top[i] == 0) ? 0.0 : term;
            });
        }
        team.each(at.width, [=](std::int64_t i) { total[i] = Log ? std::log(total[i]) : 1 / total[i]; });
        for (std::int64_t e = 0; e < extent; ++e) {
            const T* const in = x + at.start + e * inner;
            T* const out = y + at.start + e * inner;
            team.each(at.width, [=](std::int64_t i) {
                const C above = convert<C>(in[i]) - top[i], last = static_cast<C>(total[i]);
                out[i] = convert<T>(Log ? above - last : exponential(above) * last);
            });
        }
    }
};

/// Adjoint of SoftmaxAlong. dx may equal dy. `totals` is scratch memory.
template <class T, bool Log>
struct SoftmaxAlongGradient {
    const T *y, *dy;
    T* dx;
    double* totals;  ///< [outer, inner]
    std::int64_t extent, inner;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t task) const {
        using C = Compute<T>;
        const Columns at = Columns::of(task, extent, inner);
        double* const total = totals + at.number;
        team.each(at.width, [=](std::int64_t i) { total[i] = 0; });
        for (std::int64_t e = 0; e < extent; ++e) {
            const T *const kept = y + at.start + e * inner, *const grad = dy + at.start + e * inner;
            team.each(at.width, [=](std::int64_t i) {
                total[i] += convert<double>(grad[i]) * (Log ? 1.0 : convert<double>(kept[i]));
            });
        }
        for (std::int64_t e = 0; e < extent; ++e) {
            const T *const kept = y + at.start + e * inner, *const grad = dy + at.start + e * inner;
            T* const out = dx + at.start + e * inner;
            team.each(at.width, [=](std::int64_t i) {
                const C k = convert<C>(kept[i]), g = convert<C>(grad[i]), all = static_cast<C>(total[i]);
                out[i] = convert<T>(Log ? g - exponential(k) * all : k * (g - all));
            });
        }
    }
};

}  // namespace radial::kernels
