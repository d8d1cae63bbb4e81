// Distances between rows, from differences and from products, and their gradients.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// |a - b|^2, by one lane. Differences lose no digits however far from the origin both are, as a product does.
template <class T>
RADIAL_HD double squared_difference(const T* a, const T* b, std::int64_t dim) {
    double total = 0;
    for (std::int64_t d = 0; d < dim; ++d) {
        const double difference = static_cast<double>(a[d]) - static_cast<double>(b[d]);
        total += difference * difference;
    }
    return total;
}

/// out[i, j] = |x_i - w_j|, or its square, a lane a column.
template <class T, bool squared>
struct Distances {
    const T *x, *w;
    T* out;
    std::int64_t columns, dim;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T *const point = x + row * dim, *const others = w;
        T* const to = out + row * columns;
        const std::int64_t length = dim;
        team.each(columns, [=](std::int64_t j) {
            const double total = squared_difference(point, others + j * length, length);
            to[j] = static_cast<T>(squared ? total : std::sqrt(total));
        });
    }
};

/// The gradient of point i, of x or of w: dx_i = sum over j of dy_ij (x_i - w_j) / d_ij, 0 where d_ij is. Element (i,
/// j) of dy and d lies at i * row_step + j * column_step.
template <class T>
struct DistancesGradient {
    const T *point, *other, *distance, *dy;
    T* grad;
    std::int64_t others, dim, row_step, column_step;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const T *const from = point + i * dim, *const to = other;
        const T *const length = distance + i * row_step, *const upstream = dy + i * row_step;
        T* const out = grad + i * dim;
        const std::int64_t count = others, width = dim, step = column_step;
        team.each(width, [=](std::int64_t d) {
            double total = 0;
            for (std::int64_t j = 0; j < count; ++j) {
                const T r = length[j * step];
                if (r == 0) continue;
                total += static_cast<double>(upstream[j * step] * (from[d] - to[j * width + d]) / r);
            }
            out[d] = static_cast<T>(total);
        });
    }
};

/// The gradient of point i under squared distances: 2 * the sum over j of dy_ij (x_i - w_j), with elements as above.
template <class T>
struct SquaredDistancesGradient {
    const T *point, *other, *dy;
    T* grad;
    std::int64_t others, dim, row_step, column_step;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const T *const from = point + i * dim, *const to = other, *const upstream = dy + i * row_step;
        T* const out = grad + i * dim;
        const std::int64_t count = others, width = dim, step = column_step;
        team.each(width, [=](std::int64_t d) {
            double total = 0;
            for (std::int64_t j = 0; j < count; ++j) {
                const double difference = static_cast<double>(from[d]) - static_cast<double>(to[j * width + d]);
                total += static_cast<double>(upstream[j * step]) * difference;
            }
            out[d] = static_cast<T>(2 * total);
        });
    }
};

// ---- by products: |x - w|^2 = |x - c|^2 + |w - c|^2 - 2 <x - c, w - c> for any c, which loses the digits that the
// distance has less than the lengths. So c lies among the rows, and what is near all the same goes by differences ----

/// For reduce_columns: coordinate d of every `step`th point, and its square.
template <class T>
struct CoordinateMoments {
    const T* points;
    std::int64_t dim, step;
    RADIAL_HD Pair<T> operator()(std::int64_t i, std::int64_t d) const {
        const T v = points[i * step * dim + d];
        return {v, v * v};
    }
};
/// The mean of a coordinate where it is more than the standard deviation; else 0, so that points around the origin stay
/// as they are, and one that is far from all others moves none of them. 0 too where a coordinate is not finite.
template <class T>
struct StoreOffset {
    T* out;
    double inverse_count;
    RADIAL_HD void operator()(std::int64_t d, const Pair<double>& sums) const {
        const double mean = sums.first * inverse_count, square = sums.second * inverse_count;
        out[d] = 2 * mean * mean > square ? static_cast<T>(mean) : T{0};
    }
};

/// out_i = x_i - offset, and squares_i = |out_i|^2.
template <class T>
struct CentreRows {
    const T *x, *offset;
    T *out, *squares;
    std::int64_t dim;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T *const from = x + row * dim, *const c = offset;
        T *const to = out + row * dim, *const square = squares + row;
        const double total = team.sum(dim, [=](std::int64_t d) {
            const T v = from[d] - c[d];
            to[d] = v;
            return static_cast<double>(v) * static_cast<double>(v);
        });
        team.once([=] { *square = static_cast<T>(total); });
    }
};

/// Products of centred rows [N, columns] become squared distances. In place.
template <class T>
struct DistancesFromProducts {
    T* products;
    const T *x, *w;                  ///< the rows as they were
    const T *x_squares, *w_squares;  ///< of the centred ones
    std::int64_t columns, dim;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        constexpr T near = T(0.125);  // below this part of both squares together three bits would be lost
        T* const to = products + i * columns;
        const T *const point = x + i * dim, *const others = w, *const squares = w_squares;
        const T own = x_squares[i];
        const std::int64_t length = dim;
        // The smaller terms first: one rounding of the size of the larger.
        const T close = team.sum(columns, [=](std::int64_t j) {
            const T square = squares[j], d = own + (square - 2 * to[j]);
            to[j] = d;
            return d < near * (own + square) ? T{1} : T{0};
        });
        if (close == 0) return;
        team.each(columns, [=](std::int64_t j) {
            if (to[j] < near * (own + squares[j]))
                to[j] = static_cast<T>(squared_difference(point, others + j * length, length));
        });
    }
};

}  // namespace radial::kernels
