// Kernels that accompany matrix products (biases, column sums, scale factors in device memory), and kernels that
// compare rows of matrices: lengths, distances, cosines, and their gradients.
//
// Sums over a row are accumulated in double.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// Copies `row` to every row of [N, columns], so that a product can be added to it.
template <class To, class From>
struct FillRows {
    const From* row;
    To* out;
    std::int64_t columns;
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const { out[r * columns + c] = convert<To>(row[c]); }
};

/// Reads the elements of an array, for reduce().
template <class T>
struct Element {
    const T* in;
    RADIAL_HD Compute<T> operator()(std::int64_t i) const { return convert<Compute<T>>(in[i]); }
};

/// Reads the elements of [N, columns], for reduce_columns().
template <class T>
struct MatrixElement {
    const T* in;
    std::int64_t columns;
    RADIAL_HD Compute<T> operator()(std::int64_t r, std::int64_t c) const {
        return convert<Compute<T>>(in[r * columns + c]);
    }
};

/// out = in * factor, where the factor is in device memory. `out` may equal `in`.
template <class To, class From>
struct ScaleBy {
    const From *in, *factor;
    To* out;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = convert<To>(in[i] * *factor); }
};

/// Stores column sums multiplied by a factor in device memory.
template <class T>
struct StoreScaledBy {
    T* out;
    const T* factor;
    RADIAL_HD void operator()(std::int64_t c, double total) const { out[c] = static_cast<T>(total) * *factor; }
};

/// The inner product of two rows.
template <class Team, class T>
RADIAL_HD double inner_product(const Team& team, const T* a, const T* b, std::int64_t n) {
    return team.sum(n, [=](std::int64_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

/// <x_i, w_j> [N, columns], where each element is computed by one lane.
template <class T>
struct InnerProducts {
    const T *x, *w;
    T* out;
    std::int64_t columns, dim;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T *const point = x + row * dim, *const others = w;
        T* const to = out + row * columns;
        const std::int64_t length = dim;
        team.each(columns, [=](std::int64_t j) {
            to[j] = static_cast<T>(inner_product(SerialTeam{}, point, others + j * length, length));
        });
    }
};

/// Sums of the rows of [N, columns].
template <class T>
struct RowSums {
    const T* in;
    T* out;
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const from = in + row * columns;
        T* const to = out + row;
        const double total = team.sum(columns, [=](std::int64_t c) { return static_cast<double>(from[c]); });
        team.once([=] { *to = static_cast<T>(total); });
    }
};

enum class LengthForm : std::uint8_t { squared, plain, inverse };

/// The lengths of the rows of [N, columns]. The inverse length of a zero row is 0.
template <class T, LengthForm form>
struct RowLengths {
    const T* in;
    T* out;
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const from = in + row * columns;
        T* const to = out + row;
        const double total = inner_product(team, from, from, columns);
        double result = total;
        if constexpr (form == LengthForm::plain) result = std::sqrt(total);
        if constexpr (form == LengthForm::inverse) result = total > 0 ? 1 / std::sqrt(total) : 0.0;
        team.once([=] { *to = static_cast<T>(result); });
    }
};

/// The cosine from an inner product and the two inverse lengths, limited to [-1, 1]; 0 if a vector is zero.
struct Cosine {
    template <class T>
    RADIAL_HD static T value(T a, T x, T w) {
        const T c = a * x * w, below = c > 1 ? T{1} : c;
        return below < -1 ? T{-1} : below;
    }
    template <class T>
    RADIAL_HD static T slope(T x, T w) {
        return x * w;
    }
};

/// Converts inner products <x_i, w_j> [N, count] to cosines, using the inverse lengths. In place.
template <class T>
struct CosinesFromProducts {
    T* products;
    const T *x_inverse, *w_inverse;
    std::int64_t count;
    RADIAL_HD void operator()(std::int64_t i, std::int64_t j) const {
        T* const at = products + i * count + j;
        *at = Cosine::value(*at, x_inverse[i], w_inverse[j]);
    }
};

/// Converts dL/dcosine [N, count] to dL/dproduct. `out` may equal `in`.
template <class T>
struct CosinePulls {
    const T *in, *x_inverse, *w_inverse;
    T* out;
    std::int64_t count;
    RADIAL_HD void operator()(std::int64_t i, std::int64_t j) const {
        out[i * count + j] = in[i * count + j] * x_inverse[i] * w_inverse[j];
    }
};

/// grad_i -= factor * sums_i * point_i. In place.
template <class T>
struct SubtractScaledRows {
    T* grad;
    const T *sums, *point;
    T factor;
    std::int64_t dim;
    RADIAL_HD void operator()(std::int64_t row, std::int64_t d) const {
        grad[row * dim + d] -= factor * sums[row] * point[row * dim + d];
    }
};

/// grad_i -= (<grad_i, point_i> / |point_i|^2) point_i, because a cosine does not depend on the length of its vectors.
/// In place.
template <class T>
struct ProjectOut {
    T* grad;
    const T *point, *inverse_lengths;
    std::int64_t dim;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        T* const g = grad + row * dim;
        const T* const p = point + row * dim;
        const T inverse = inverse_lengths[row];
        const T factor = static_cast<T>(inner_product(team, g, p, dim)) * inverse * inverse;
        team.each(dim, [=](std::int64_t d) { g[d] -= factor * p[d]; });
    }
};

/// out_i = factors_i * in_i.
template <class T>
struct ScaleRows {
    const T *in, *factors;
    T* out;
    std::int64_t dim;
    RADIAL_HD void operator()(std::int64_t row, std::int64_t d) const {
        out[row * dim + d] = factors[row] * in[row * dim + d];
    }
};

/// out = a * b, elementwise over two arrays.
template <class T>
struct ProductOf {
    const T *a, *b;
    T* out;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = a[i] * b[i]; }
};
/// out = a / b, or 0 where b is 0.
template <class T>
struct RatioOrZero {
    const T *a, *b;
    T* out;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = b[i] != 0 ? a[i] / b[i] : T{0}; }
};

/// |a - b|^2, computed by one lane. Unlike a product, differences lose no precision when both points are far from the
/// origin.
template <class T>
RADIAL_HD double squared_difference(const T* a, const T* b, std::int64_t dim) {
    double total = 0;
    for (std::int64_t d = 0; d < dim; ++d) {
        const double difference = static_cast<double>(a[d]) - static_cast<double>(b[d]);
        total += difference * difference;
    }
    return total;
}

/// out[i, j] = |x_i - w_j|, or its square, where each element is computed by one lane.
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

/// The gradient of point i of x or of w: dx_i = sum over j of dy_ij (x_i - w_j) / d_ij, skipping terms where d_ij is 0.
/// Element (i, j) of dy and d is at offset i * row_step + j * column_step.
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

/// The gradient of point i of x or of w for squared distances: dx_i = 2 * sum over j of dy_ij (x_i - w_j). Element
/// (i, j) of dy is at offset i * row_step + j * column_step.
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

// ---- by products: |x - w|^2 = |x - c|^2 + |w - c|^2 - 2 <x - c, w - c> for any c. This loses precision where the
// distance is small compared with the lengths. So c is chosen near the rows, and pairs that are still too close are
// computed from differences ----

/// A functor for reduce_columns() that returns coordinate d of every `step`-th point, and its square.
template <class T>
struct CoordinateMoments {
    const T* points;
    std::int64_t dim, step;
    RADIAL_HD Pair<T> operator()(std::int64_t i, std::int64_t d) const {
        const T v = points[i * step * dim + d];
        return {v, v * v};
    }
};
/// Stores the mean of a coordinate if its magnitude exceeds the standard deviation, else 0. Points around the origin
/// are then not shifted, and a single outlier does not shift the others. Also stores 0 if a coordinate is not finite.
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

/// Converts inner products of centred rows [N, columns] to squared distances. In place.
template <class T>
struct DistancesFromProducts {
    T* products;
    const T *x, *w;                  ///< the original rows
    const T *x_squares, *w_squares;  ///< squared lengths of the centred rows
    std::int64_t columns, dim;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        constexpr T near = T(0.125);  // a distance below this fraction of the sum of both squares loses over three bits
        T* const to = products + i * columns;
        const T *const point = x + i * dim, *const others = w, *const squares = w_squares;
        const T own = x_squares[i];
        const std::int64_t length = dim;
        // The smaller terms are added first, so that only one rounding has the magnitude of the larger.
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
