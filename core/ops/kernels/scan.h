// Cumulative sums, products and maxima along one dimension.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cstdint>
#include <limits>

namespace radial::kernels {

/// The sum of all elements so far.
struct RunningSum {
    static constexpr double start = 0;
    RADIAL_HD double operator()(double so_far, double v) const { return so_far + v; }
};
/// The product of all elements so far.
struct RunningProduct {
    static constexpr double start = 1;
    RADIAL_HD double operator()(double so_far, double v) const { return so_far * v; }
};

/// out[row, e] = join of in[row, 0] to in[row, e], in double; from the end to e if `reverse` is set. Each lane of a
/// team handles one chunk of the row at a time: chunks are reduced, their results are joined, and then the chunks are
/// scanned. out may equal in.
template <class T, class Join>
struct ScanRow {
    static constexpr std::int64_t chunk = 32;
    const T* in;
    T* out;
    double* scratch;  ///< [rows, number of chunks]; not used on the CPU
    std::int64_t extent;
    bool reverse;
    Join join;

    RADIAL_HD static std::int64_t chunks(std::int64_t extent) { return (extent + chunk - 1) / chunk; }

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t count = chunks(extent);
        double* const starts = scratch + row * count;
        const ScanRow own = *this;
        team.each(count, [=](std::int64_t c) {
            double so_far = Join::start;
            for (std::int64_t e = c * chunk; e < own.end_of(c); ++e)
                so_far = own.join(so_far, convert<double>(own.in[own.at(row, e)]));
            starts[c] = so_far;
        });
        team.once([=] {
            double so_far = Join::start;
            for (std::int64_t c = 0; c < count; ++c) {
                const double next = own.join(so_far, starts[c]);
                starts[c] = so_far;
                so_far = next;
            }
        });
        team.each(count, [=](std::int64_t c) { own.scan(row, c * chunk, own.end_of(c), starts[c]); });
    }
    /// A single lane needs only one pass.
    RADIAL_HD void operator()(const SerialTeam&, std::int64_t row) const { scan(row, 0, extent, Join::start); }

private:
    RADIAL_HD std::int64_t end_of(std::int64_t c) const {
        const std::int64_t end = (c + 1) * chunk;
        return end < extent ? end : extent;
    }
    RADIAL_HD std::int64_t at(std::int64_t row, std::int64_t e) const {
        return row * extent + (reverse ? extent - 1 - e : e);
    }
    RADIAL_HD void scan(std::int64_t row, std::int64_t begin, std::int64_t end, double so_far) const {
        for (std::int64_t e = begin; e < end; ++e) {
            so_far = join(so_far, convert<double>(in[at(row, e)]));
            out[at(row, e)] = convert<T>(so_far);
        }
    }
};

/// ScanRow along the middle of [outer, extent, inner], for up to `width` adjacent columns of one block.
template <class T, class Join>
struct ScanColumns {
    static constexpr std::int64_t width = 128;  ///< largest number of columns of a task
    const T* in;
    T* out;
    double* totals;  ///< [outer, inner], scratch memory
    std::int64_t extent, inner;
    bool reverse;
    Join join;

    RADIAL_HD static std::int64_t tasks(std::int64_t inner) { return (inner + width - 1) / width; }

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t task) const {
        const std::int64_t o = task / tasks(inner), first = task % tasks(inner) * width;
        const std::int64_t columns = inner - first < width ? inner - first : width;
        double* const total = totals + o * inner + first;
        team.each(columns, [=](std::int64_t i) { total[i] = Join::start; });
        for (std::int64_t e = 0; e < extent; ++e) {
            const std::int64_t start = (o * extent + (reverse ? extent - 1 - e : e)) * inner + first;
            const T* const from = in + start;
            T* const to = out + start;
            const Join add = join;
            team.each(columns, [=](std::int64_t i) {
                total[i] = add(total[i], convert<double>(from[i]));
                to[i] = convert<T>(total[i]);
            });
        }
    }
};

/// Adjoint of a cumulative product y of x: dx[e] = y[e - 1] * (dy[e] + x[e + 1] * (dy[e + 1] + x[e + 2] * ...)). There
/// is no division, so elements may be 0.
template <class T>
struct CumulativeProductGradient {
    const T *x, *y, *dy;
    T* dx;
    std::int64_t extent, inner;
    RADIAL_HD void operator()(std::int64_t o, std::int64_t i) const {
        const std::int64_t start = o * extent * inner + i;
        double behind = 0, next = 0;
        for (std::int64_t e = extent - 1; e >= 0; --e) {
            const std::int64_t at = start + e * inner;
            behind = convert<double>(dy[at]) + next * behind;
            next = convert<double>(x[at]);
            dx[at] = convert<T>(e > 0 ? convert<double>(y[at - inner]) * behind : behind);
        }
    }
};

/// The largest element so far and its index, the last of equal ones; from a NaN on, NaN and the index of the last NaN.
template <class T>
struct CumulativeMax {
    const T* x;
    T* y;
    std::int64_t* places;
    std::int64_t extent, inner;
    RADIAL_HD void operator()(std::int64_t o, std::int64_t i) const {
        const std::int64_t start = o * extent * inner + i;
        std::int64_t place = 0;
        Compute<T> top{0};
        for (std::int64_t e = 0; e < extent; ++e) {
            const std::int64_t at = start + e * inner;
            const Compute<T> v = convert<Compute<T>>(x[at]);
            if (e == 0 || v >= top || v != v) {
                top = v;
                place = e;
            }
            y[at] = convert<T>(top);
            places[at] = place;
        }
    }
};

/// Adjoint of CumulativeMax: dx of an element is the sum of dy over the positions at which it is the largest so far. dx
/// must be filled with zeros.
template <class T>
struct CumulativeMaxGradient {
    const T* dy;
    const std::int64_t* places;
    T* dx;
    std::int64_t extent, inner;
    RADIAL_HD void operator()(std::int64_t o, std::int64_t i) const {
        const std::int64_t start = o * extent * inner + i;
        double total = 0;
        for (std::int64_t e = extent - 1; e >= 0; --e) {  // places do not decrease, so equal ones are adjacent
            const std::int64_t at = start + e * inner;
            total += convert<double>(dy[at]);
            if (e > 0 && places[at - inner] == places[at]) continue;
            dx[start + places[at] * inner] = convert<T>(total);
            total = 0;
        }
    }
};

}  // namespace radial::kernels
