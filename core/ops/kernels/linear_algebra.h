// Kernels around matrix products (biases, sums of columns, a factor that lies on the device), and kernels that compare
// rows of matrices: lengths, distances, cosines, and their gradients.
//
// Sums over a row are formed in double.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

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

/// The sum of products of two rows.
template <class Team, class T>
RADIAL_HD double inner_product(const Team& team, const T* a, const T* b, std::int64_t n) {
    return team.sum(n, [=](std::int64_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

/// <x_i, w_j> [N, columns], a lane a column.
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

/// Lengths of the rows of [N, columns]; the inverse of a zero row's is 0.
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

/// The cosine from the product and the inverse lengths, 0 where one of them is 0.
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

/// Products <x_i, w_j> [N, count] become cosines, from the inverse lengths. In place.
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

/// dL/dcosine [N, count] becomes dL/dproduct; `out` may be `in`.
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

/// grad_i -= (<grad_i, point_i> / |point_i|^2) point_i: a cosine does not change along its vectors. In place.
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

/// out = a * b, element by element of two lists.
template <class T>
struct ProductOf {
    const T *a, *b;
    T* out;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = a[i] * b[i]; }
};
/// out = a / b, 0 where b is.
template <class T>
struct RatioOrZero {
    const T *a, *b;
    T* out;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = b[i] != 0 ? a[i] / b[i] : T{0}; }
};

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

// ---- by products: |x - w|^2 = |x - c|^2 + |w - c|^2 - 2 <x - c, w - c> for any c. This loses digits where the
// distance is small compared with the lengths. So c lies among the rows, and pairs that are still too near are computed
// by differences ----

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
