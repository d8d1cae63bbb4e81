// Kernels that sum along dimensions, find the largest elements, count, and compute the logarithm of a sum of
// exponentials.
//
// A log-sum-exp is kept as two numbers, because one float32 is not precise enough: with terms in the thousands, too few
// of its 24 bits remain after the decimal point for exp(term - sum) to be an accurate probability. The two numbers are
// the largest term and the logarithm of the sum relative to it.
#pragma once

#include "radial/core/kernels/host_device.h"
#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/shape.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace radial::kernels {

/// Reads element i.
template <class T>
struct Read {
    const T* in;
    RADIAL_HD Compute<T> operator()(std::int64_t i) const { return convert<Compute<T>>(in[i]); }
};

// Sums of a tensor [outer, extent, inner] over `extent`, accumulated in double. There are three cases, by memory
// layout.

/// Case inner == 1: each sum is over one contiguous row.
template <class To, class From>
struct SumRow {
    const From* in;
    To* out;
    std::int64_t extent;
    double factor;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const From* const from = in + row * extent;
        const double total = team.sum(extent, [=](std::int64_t i) { return convert<double>(from[i]); });
        team.once([&] { out[row] = convert<To>(factor * total); });
    }
};

/// Case outer == 1: column sums, by reduce_columns() with StoreScaledSum.
template <class From>
struct ReadMatrix {
    const From* in;
    std::int64_t columns;
    RADIAL_HD double operator()(std::int64_t r, std::int64_t c) const { return convert<double>(in[r * columns + c]); }
};
template <class To>
struct StoreScaledSum {
    To* out;
    double factor;
    RADIAL_HD void operator()(std::int64_t c, double total) const { out[c] = convert<To>(factor * total); }
};

/// All other cases: one lane per sum. Adjacent lanes read adjacent elements.
template <class To, class From>
struct SumMiddle {
    const From* in;
    To* out;
    std::int64_t extent, inner;
    double factor;
    RADIAL_HD void operator()(std::int64_t o, std::int64_t i) const {
        const From* const from = in + o * extent * inner + i;
        double total = 0;
        for (std::int64_t e = 0; e < extent; ++e) total += convert<double>(from[e * inner]);
        out[o * inner + i] = convert<To>(factor * total);
    }
    /// The same for a single index, if outer == 1.
    RADIAL_HD void operator()(std::int64_t i) const { (*this)(0, i); }
};

/// A functor for reduce_columns() that returns the sum of the `area` elements of plane (r, k). Column k is channel k,
/// row r is image r.
template <class T>
struct PlaneSum {
    const T* in;
    std::int64_t channels, area;
    RADIAL_HD Compute<T> operator()(std::int64_t r, std::int64_t k) const {
        const T* const plane = in + (r * channels + k) * area;
        Compute<T> total{0};
        for (std::int64_t i = 0; i < area; ++i) total += convert<Compute<T>>(plane[i]);
        return total;
    }
};
/// PlaneSum for planes of a single element.
template <class T>
struct ChannelElement {
    const T* in;
    std::int64_t channels;
    RADIAL_HD Compute<T> operator()(std::int64_t r, std::int64_t k) const {
        return convert<Compute<T>>(in[r * channels + k]);
    }
};

/// The first index in [0, n), n > 0, at which g is largest. NaN counts as larger than every number.
template <class Team, class G>
RADIAL_HD std::int64_t first_largest(const Team& team, std::int64_t n, const G& g) {
    constexpr double none = -std::numeric_limits<double>::infinity();
    const auto top = team.max(n, g);
    return static_cast<std::int64_t>(-team.max(n, [&](std::int64_t i) {
        const auto v = g(i);
        return v == top || (v != v && top != top) ? -static_cast<double>(i) : none;
    }));
}
/// A single lane needs only one pass.
template <class G>
RADIAL_HD std::int64_t first_largest(const SerialTeam&, std::int64_t n, const G& g) {
    std::int64_t best = 0;
    auto top = g(0);
    if (top != top) return 0;
    for (std::int64_t i = 1; i < n; ++i) {
        const auto v = g(i);
        if (v <= top) continue;
        best = i;
        top = v;
        if (v != v) break;
    }
    return best;
}

/// The largest (Sign = 1) or smallest (Sign = -1) element of [outer, extent, inner] along `extent`, or NaN if there is
/// one, and its memory offset. The first of equal elements is chosen.
template <class T, int Sign>
struct ExtremeAlong {
    const T* in;
    T* out;
    std::int64_t* place;
    std::int64_t extent, inner;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t result) const {
        using C = Compute<T>;
        const std::int64_t start = result / inner * extent * inner + result % inner;
        const T* const from = in + start;
        const std::int64_t step = inner;
        const std::int64_t first =
            first_largest(team, extent, [=](std::int64_t e) { return Sign * convert<C>(from[e * step]); });
        team.once([&] {
            out[result] = from[first * step];
            place[result] = start + first * step;
        });
    }
};

/// Adjoint of ExtremeAlong. dx must be filled with zeros.
template <class T>
struct ScatterToPlaces {
    const T* dy;
    const std::int64_t* place;
    T* dx;
    RADIAL_HD void operator()(std::int64_t i) const { dx[place[i]] = dy[i]; }
};

/// The index of the first largest element of row `row`. NaN counts as smaller than every number, unless it comes first.
template <class T>
struct ArgMaxRow {
    const T* in;
    std::int64_t* out;
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const T* const from = in + row * columns;
        const std::int64_t first = first_largest(team, columns, [=](std::int64_t i) {
            const C v = convert<C>(from[i]);
            return v == v || i == 0 ? v : -std::numeric_limits<C>::infinity();
        });
        team.once([&] { out[row] = first; });
    }
};

/// The number of elements of row `row` that come before its element at `labels[row]`, the largest first and equal ones
/// by column. `columns` when that element is NaN; other NaNs are not counted.
template <class T>
struct LabelRankRow {
    const T* in;
    const std::int64_t* labels;
    std::int64_t* out;
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const T* const from = in + row * columns;
        const std::int64_t label = clamped(labels[row], columns);
        const C own = convert<C>(from[label]);
        const double before = team.sum(columns, [=](std::int64_t i) {
            const C v = convert<C>(from[i]);
            return v > own || (v == own && i < label) ? 1.0 : 0.0;
        });
        team.once([&] { out[row] = own == own ? static_cast<std::int64_t>(before) : columns; });
    }
};

/// Finds the median of [count]: row i writes element i if the rank of the element, found by counting smaller elements,
/// is the middle one. The rows are therefore independent and nothing is sorted. If any element is NaN, the result is
/// NaN.
template <class T>
struct MedianRow {
    const T* in;
    T* out;
    std::int64_t count;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const T* const all = in;
        const T own = in[i];
        const auto before = [=](std::int64_t j) {
            const T other = all[j];
            return other < own || (other == own && j < i) ? 1.0 : 0.0;
        };
        const double rank = team.sum(count, before);
        const double odd = team.sum(count, [=](std::int64_t j) { return all[j] == all[j] ? 0.0 : 1.0; });
        const bool middle = odd > 0 ? i == 0 : static_cast<std::int64_t>(rank) == (count - 1) / 2;
        if (!middle) return;
        T* const to = out;
        team.once([=] { *to = odd > 0 ? static_cast<T>(not_a_number<double>) : own; });
    }
};

/// 1 where two indices are equal, else 0.
struct Agree {
    const std::int64_t *a, *b;
    RADIAL_HD double operator()(std::int64_t i) const { return a[i] == b[i] ? 1.0 : 0.0; }
};

/// log(1 + exp(v)).
template <class T>
RADIAL_HD T soft_plus(T v) {
    return v > 0 ? v + std::log1p(std::exp(-v)) : std::log1p(std::exp(v));
}
/// The derivative of soft_plus().
template <class T>
RADIAL_HD T logistic(T v) {
    if (v < 0) {
        const T e = std::exp(v);
        return e / (1 + e);
    }
    return 1 / (1 + std::exp(-v));
}

/// log(sum of exp(term)) = top + log. If `top` is infinite or NaN, `log` is 0; a `top` of -inf means that there are no
/// terms.
template <class T>
struct LogSum {
    T top;  ///< the largest term
    T log;  ///< log(sum of exp(term - top))

    RADIAL_HD T value() const { return top + log; }
    /// term - value(), without the rounding error of computing value() first.
    RADIAL_HD T relative(T term) const { return (term - top) - log; }
    /// exp(term) as a fraction of the sum.
    RADIAL_HD T share(T term) const { return std::exp(relative(term)); }
};

/// The LogSum of z(j) for j in [0, n).
template <class Team, class Z>
RADIAL_HD auto log_sum(const Team& team, std::int64_t n, const Z& z) {
    using T = Returned<Z>;
    const T top = team.max(n, z);
    if (!(top - top == 0)) return LogSum<T>{top, T{0}};
    const double total = team.sum(n, [=](std::int64_t j) { return static_cast<double>(exponential(z(j) - top)); });
    return LogSum<T>{top, static_cast<T>(std::log(total))};
}

/// The LogSum of z(j) for those j in [0, n) for which in(j) holds. If `start` is 1 rather than 0, a further term 0 is
/// added.
template <class T, class Team, class In, class Z>
RADIAL_HD LogSum<T> log_sum_of(const Team& team, std::int64_t n, int start, const In& in, const Z& z) {
    T top = team.max(n, [&](std::int64_t j) { return in(j) ? z(j) : -infinity<T>; });
    if (start > 0 && top < 0) top = 0;
    if (!(top - top == 0)) return {top, T{0}};
    const double total =
        team.sum(n, [&](std::int64_t j) { return in(j) ? static_cast<double>(std::exp(z(j) - top)) : 0.0; });
    // log1p keeps small totals precise when `start` is the only large term.
    if (start > 0 && top == 0) return {top, static_cast<T>(std::log1p(total))};
    const double all = start > 0 ? total + std::exp(-static_cast<double>(top)) : total;
    return {top, static_cast<T>(std::log(all))};
}

}  // namespace radial::kernels
