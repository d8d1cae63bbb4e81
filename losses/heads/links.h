// What tells one softmax head from another: how a product of feature and class vector becomes a similarity (a metric),
// and a similarity a logit (a link). See rows.h for what is done with them.
#pragma once

#include "radial/core/kernels/host_device.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/linear_algebra.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

// ---- metrics: from what the engine has of two vectors, a, and a number of each ----

/// a, the product itself or a similarity that is given.
struct Product {
    template <class T>
    RADIAL_HD static T value(T a, T, T) {
        return a;
    }
    /// d value / d a.
    template <class T>
    RADIAL_HD static T slope(T, T) {
        return T{1};
    }
};

/// |x - w|^2, which is what a is: it takes more than two numbers to form it, see distances.h.
struct SquaredDistance {
    template <class T>
    RADIAL_HD static T value(T a, T, T) {
        return a;
    }
    /// By the product.
    template <class T>
    RADIAL_HD static T slope(T, T) {
        return T{-2};
    }
};

// ---- links: row(i, own) is what a sample needs; logit and slope = d logit / d similarity of another class j;
// own_logit and own_slope of the sample's own class ----

/// s_j + bias_j.
template <class T, bool Biased>
struct LinearLink {
    const T* bias;

    struct Row {};
    RADIAL_HD Row row(std::int64_t, T) const { return {}; }
    RADIAL_HD T logit(const Row&, T s, std::int64_t j) const {
        if constexpr (Biased) return s + bias[j];
        return s;
    }
    RADIAL_HD T slope(const Row&, T, T, std::int64_t) const { return T{1}; }
    RADIAL_HD T own_logit(const Row& row, T s, std::int64_t j) const { return logit(row, s, j); }
    RADIAL_HD T own_slope(const Row&, T, T, std::int64_t) const { return T{1}; }
    /// What sample and class j add to the gradient of class j's own number, from the pull, dL/dproduct.
    RADIAL_HD T class_term(T pull, T, std::int64_t, bool) const { return pull; }
};

/// scale * (exp(d_j * rate_j) - margin * own), rate = -1 / gamma.
template <class T, bool PerClass>
struct RbfLink {
    T scale{1}, margin{}, plain_rate{-1};
    const T* scale_factor = nullptr;  ///< one number, or null
    const T* rates = nullptr;         ///< [C] where PerClass; else one, or null for plain_rate

    struct Row {
        T scale, rate;
    };
    RADIAL_HD Row row(std::int64_t, T) const {
        return {scale_factor == nullptr ? scale : scale * *scale_factor, rates == nullptr ? plain_rate : rates[0]};
    }
    RADIAL_HD T rate(const Row& row, std::int64_t j) const {
        if constexpr (PerClass) return rates[j];
        return row.rate;
    }
    RADIAL_HD T logit(const Row& row, T d, std::int64_t j) const { return row.scale * exponential(d * rate(row, j)); }
    RADIAL_HD T slope(const Row& row, T, T z, std::int64_t j) const { return z * rate(row, j); }
    RADIAL_HD T own_logit(const Row& row, T d, std::int64_t j) const {
        return row.scale * (exponential(d * rate(row, j)) - margin);
    }
    /// From the distance: where the kernel is small, its logit is all margin.
    RADIAL_HD T own_slope(const Row& row, T d, T, std::int64_t j) const {
        const T r = rate(row, j);
        return row.scale * exponential(d * r) * r;
    }
    /// For gamma's factor f, gamma_j = gamma f: dL/df = sum of dL/dz K d / (gamma f^2) = pull * d / (2 f); without the
    /// 1 / f, which is not known here.
    RADIAL_HD T class_term(T pull, T d, std::int64_t, bool) const { return pull * d / 2; }
};

/// -gamma * d_j * (1 + margin * own) + bias_j.
template <class T>
struct DistanceLink {
    T gamma, margin;
    const T* bias;    ///< or null
    T product_slope;  ///< the metric's: what turns a pull back into dL/dz

    struct Row {};
    RADIAL_HD Row row(std::int64_t, T) const { return {}; }
    RADIAL_HD T logit(const Row&, T d, std::int64_t j) const { return (bias == nullptr ? T{0} : bias[j]) - gamma * d; }
    RADIAL_HD T slope(const Row&, T, T, std::int64_t) const { return -gamma; }
    RADIAL_HD T own_logit(const Row&, T d, std::int64_t j) const {
        return (bias == nullptr ? T{0} : bias[j]) - gamma * (1 + margin) * d;
    }
    RADIAL_HD T own_slope(const Row&, T, T, std::int64_t) const { return -gamma * (1 + margin); }
    RADIAL_HD T class_term(T pull, T, std::int64_t, bool own) const {
        return pull / (product_slope * -gamma * (own ? 1 + margin : T{1}));
    }
};

/// What a margin makes of the own class's cosine: f, and its derivatives by the cosine and by the angle.
template <class T>
struct OwnCosine {
    T value, slope, by_angle;
};

/// cos(t + angle) - cosine; past t + angle = pi the line cos t - angle sin(angle) - cosine. The sine is kept off 0,
/// where the angle has no derivative by the cosine.
template <class T>
RADIAL_HD OwnCosine<T> additive_margin(T c, T angle, T cosine) {
    if (angle == 0) return {c - cosine, T{1}, -std::sqrt(c * c < 1 ? 1 - c * c : T{0})};
    const T cos_m = std::cos(angle), sin_m = std::sin(angle);
    if (c < -cos_m) return {c - angle * sin_m - cosine, T{1}, -(sin_m + angle * cos_m)};
    constexpr T smallest = sizeof(T) == sizeof(float) ? T(1e-4) : T(1e-8);
    const T under = 1 - c * c, root = std::sqrt(under > 0 ? under : T{0}), sine = root > smallest ? root : smallest;
    return {c * cos_m - root * sin_m - cosine, cos_m + c / sine * sin_m, -(root * cos_m + c * sin_m)};
}

/// (-1)^q cos(k t) - 2 q for t in [q pi / k, (q + 1) pi / k], averaged with cos t at weights 1 and blend.
template <class T>
RADIAL_HD OwnCosine<T> multiplied_margin(T c, int k, T blend) {
    constexpr T pi = T(3.14159265358979323846);
    const T inside = c < -1 ? T{-1} : c, t = std::acos(inside > 1 ? T{1} : inside);
    const T q = std::floor(static_cast<T>(k) * t / pi), last = static_cast<T>(k - 1), turn = q < last ? q : last;
    const T sign = static_cast<std::int64_t>(turn) % 2 == 0 ? T{1} : T{-1};
    // cos(k t) is Chebyshev's polynomial T_k of the cosine; its derivative is k U_{k-1}. Neither is singular.
    T previous = 1, current = inside, u_previous = 0, u = 1;
    for (int i = 1; i < k; ++i) {
        const T next = 2 * inside * current - previous, u_next = 2 * inside * u - u_previous;
        previous = current;
        current = next;
        u_previous = u;
        u = u_next;
    }
    return {(blend * inside + sign * current - 2 * turn) / (1 + blend),
            (blend + sign * static_cast<T>(k) * u) / (1 + blend), T{0}};
}

/// scale * c_j for the others, scale * f(c_y) for the own class; where Hardened, an other that is nearer than
/// cos(t_y + angle) counts as scale * c_j (hardness + c_j).
template <class T, bool Hardened>
struct CosineLink {
    T scale{1}, angle{}, cosine{};
    int multiple = 1;
    const T* scale_factor = nullptr;                                         ///< or null
    std::int64_t scale_step = 0;                                             ///< 0: one factor, 1: one a sample
    const T *sample_angle = nullptr, *blend = nullptr, *hardness = nullptr;  ///< or null

    struct Row {
        T scale, threshold, hardness;
        OwnCosine<T> own;
    };
    RADIAL_HD Row row(std::int64_t i, T own) const {
        const T s = scale_factor == nullptr ? scale : scale * scale_factor[i * scale_step];
        const T m = sample_angle == nullptr ? angle : sample_angle[i];
        Row row{s, T{0}, T{0}, {}};
        row.own = multiple > 1 ? multiplied_margin(own, multiple, blend == nullptr ? T{0} : *blend)
                               : additive_margin(own, m, cosine);
        if constexpr (Hardened) {
            const T under = 1 - own * own;
            row.threshold = own * std::cos(m) - std::sqrt(under > 0 ? under : T{0}) * std::sin(m);
            row.hardness = *hardness;
        }
        return row;
    }
    RADIAL_HD T logit(const Row& row, T c, std::int64_t) const {
        const T plain = row.scale * c;
        if constexpr (Hardened) return c > row.threshold ? plain * (row.hardness + c) : plain;
        return plain;
    }
    RADIAL_HD T slope(const Row& row, T c, T, std::int64_t) const {
        if constexpr (Hardened) return c > row.threshold ? row.scale * (row.hardness + 2 * c) : row.scale;
        return row.scale;
    }
    RADIAL_HD T own_logit(const Row& row, T, std::int64_t) const { return row.scale * row.own.value; }
    RADIAL_HD T own_slope(const Row& row, T, T, std::int64_t) const { return row.scale * row.own.slope; }
    RADIAL_HD T class_term(T, T, std::int64_t, bool) const { return T{0}; }
};

}  // namespace radial::kernels
