// Kernels that compare rows of matrices: lengths, distances, cosines, and their gradients.
//
// Sums over a row are formed in double.
#pragma once

#include "radial/core/kernels/team.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

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

}  // namespace radial::kernels
