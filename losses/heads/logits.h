// How each softmax head computes a logit and its derivatives, in two parts: the metric turns the product of a feature
// and a class vector into a similarity, and the link turns the similarity into a logit. rows.h uses both.
#pragma once

#include "radial/core/kernels/host_device.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/linear_algebra.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

// ---- metrics: value(a, x, w) combines the engine's number a for two vectors with one number of each vector ----

/// The product a itself, or a given similarity.
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

/// |x - w|^2. The engine passes the distance itself as a, because it cannot be computed from a product and one number
/// of each vector with enough precision: see distances.h.
struct SquaredDistance {
    template <class T>
    RADIAL_HD static T value(T a, T, T) {
        return a;
    }
    /// d value / d product.
    template <class T>
    RADIAL_HD static T slope(T, T) {
        return T{-2};
    }
};

// ---- links: row(i, own) returns the values that the link needs for sample i; logit and slope = d logit / d similarity
// are for another class j, own_logit and own_slope for the sample's own class ----

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
    /// The contribution of a sample and class j to the gradient of class j's parameter, given the pull, dL/dproduct.
    RADIAL_HD T class_term(T pull, T, std::int64_t, bool) const { return pull; }
};

/// scale * (exp(d_j * rate_j) - margin * own), rate = -1 / gamma.
template <class T, bool PerClass>
struct RbfLink {
    T scale{1}, margin{}, plain_rate{-1};
    const T* scale_factor = nullptr;  ///< one number, or null
    const T* rates = nullptr;         ///< [C] if PerClass; otherwise [1], or null for plain_rate

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
    /// Computed from the distance, because the logit of a small kernel consists almost entirely of the margin.
    RADIAL_HD T own_slope(const Row& row, T d, T, std::int64_t j) const {
        const T r = rate(row, j);
        return row.scale * exponential(d * r) * r;
    }
    /// The gradient of gamma's factor f, where gamma_j = gamma f: dL/df = sum of dL/dz K d / (gamma f^2), which is the
    /// sum of pull * d / (2 f). The 1 / f is left out, because f is not available here.
    RADIAL_HD T class_term(T pull, T d, std::int64_t, bool) const { return pull * d / 2; }
};

/// -gamma * d_j * (1 + margin * own) + bias_j.
template <class T>
struct DistanceLink {
    T gamma, margin;
    const T* bias;    ///< or null
    T product_slope;  ///< slope of the metric, which relates a pull to dL/dz

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

/// The cosine to the true class with the margin applied: f, and its derivatives with respect to the cosine and the
/// angle.
template <class T>
struct OwnCosine {
    T value, slope, by_angle;
};

/// cos(t + angle) - cosine; for t + angle > pi, the line cos t - angle sin(angle) - cosine. The sine is kept away from
/// 0, where the derivative of t with respect to the cosine is infinite.
template <class T>
RADIAL_HD OwnCosine<T> additive_margin(T c, T angle, T cosine) {
    if (angle == 0) return {c - cosine, T{1}, -std::sqrt(c * c < 1 ? 1 - c * c : T{0})};
    const T cos_m = std::cos(angle), sin_m = std::sin(angle);
    if (c < -cos_m) return {c - angle * sin_m - cosine, T{1}, -(sin_m + angle * cos_m)};
    constexpr T smallest = sizeof(T) == sizeof(float) ? T(1e-4) : T(1e-8);
    const T under = 1 - c * c, root = std::sqrt(under > 0 ? under : T{0}), sine = root > smallest ? root : smallest;
    return {c * cos_m - root * sin_m - cosine, cos_m + c / sine * sin_m, -(root * cos_m + c * sin_m)};
}

/// (-1)^q cos(k t) - 2 q for t in [q pi / k, (q + 1) pi / k], averaged with cos t, where the first has weight 1 and cos
/// t has the weight `blend`.
template <class T>
RADIAL_HD OwnCosine<T> multiplied_margin(T c, int k, T blend) {
    constexpr T pi = T(3.14159265358979323846);
    const T inside = c < -1 ? T{-1} : c, t = std::acos(inside > 1 ? T{1} : inside);
    const T q = std::floor(static_cast<T>(k) * t / pi), last = static_cast<T>(k - 1), turn = q < last ? q : last;
    const T sign = static_cast<std::int64_t>(turn) % 2 == 0 ? T{1} : T{-1};
    // cos(k t) is the Chebyshev polynomial T_k of the cosine, and its derivative is k U_{k-1}. Neither is singular.
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

/// scale * c_j for the other classes, scale * f(c_y) for the true class. If Hardened, another class whose cosine
/// exceeds cos(t_y + angle) has the logit scale * c_j (hardness + c_j).
template <class T, bool Hardened>
struct CosineLink {
    T scale{1}, angle{}, cosine{};
    int multiple = 1;
    const T* scale_factor = nullptr;                                         ///< or null
    std::int64_t scale_step = 0;                                             ///< 0: one for all, 1: one per sample
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
