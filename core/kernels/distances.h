// Distances between rows, from differences, and the gradient of Euclidean ones.
#pragma once

#include "radial/core/kernels/team.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// out[i, j] = |x_i - w_j|, or its square, a lane a column. Differences lose no digits however far from the origin both
/// rows are, as a product does.
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
            const T* const other = others + j * length;
            double total = 0;
            for (std::int64_t d = 0; d < length; ++d) {
                const double difference = static_cast<double>(point[d]) - static_cast<double>(other[d]);
                total += difference * difference;
            }
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

}  // namespace radial::kernels
