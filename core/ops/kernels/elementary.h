// Elementary functions of one number for the loops of elementwise.h: roots, logarithms, trigonometric and hyperbolic
// functions, rounding and powers.
#pragma once

#include "radial/core/kernels/values.h"

#include <cmath>

namespace radial::kernels {

/// exp(x) - 1 without cancellation near 0, in a form that the compiler can vectorise. The relative error is at most
/// 5e-7.
RADIAL_HD inline float exponential_minus_one(float x) {
    const float size = x < 0 ? -x : x;
    // Taylor's series up to x^9, whose remainder is below 1e-8 for |x| < 0.5.
    float p = 1.0F / 362880;
    p = p * x + 1.0F / 40320;
    p = p * x + 1.0F / 5040;
    p = p * x + 1.0F / 720;
    p = p * x + 1.0F / 120;
    p = p * x + 1.0F / 24;
    p = p * x + 1.0F / 6;
    p = p * x + 0.5F;
    const float near = p * x * x + x, far = exponential(x) - 1;
    return size < 0.5F ? near : far;
}
/// The same by the standard library.
RADIAL_HD inline double exponential_minus_one(double x) { return std::expm1(x); }

/// -1, 0 or 1. Sign, Floor, Ceil and Round are constant between their steps and have no `derivative`, as their gradient
/// is 0. NaN stays NaN in all of them.
struct Sign {
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V negative = v < 0 ? V{-1} : v;
        return v > 0 ? V{1} : negative;
    }
};
struct Floor {
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::floor(v);
    }
};
struct Ceil {
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::ceil(v);
    }
};
/// Rounds to the nearest integer, and halves to the nearest even integer.
struct Round {
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::nearbyint(v);
    }
};

struct Abs {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::fabs(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const V negative = x < 0 ? -dy : V{0};
        return x > 0 ? dy : negative;
    }
};
struct ReciprocalRoot {
    static constexpr bool keeps_result = true;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return 1 / std::sqrt(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V y) {
        return dy * V(-0.5) * y * y * y;
    }
};
struct Reciprocal {
    static constexpr bool keeps_result = true;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return 1 / v;
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V y) {
        return -dy * y * y;
    }
};
struct LogOnePlus {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::log1p(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy / (1 + x);
    }
};
struct ExpMinusOne {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return exponential_minus_one(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy * exponential(x);
    }
};
struct Log2 {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::log2(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy / (x * V(0.69314718055994531));
    }
};
struct Log10 {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::log10(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy / (x * V(2.3025850929940457));
    }
};

struct Sin {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::sin(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy * std::cos(x);
    }
};
struct Cos {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::cos(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return -dy * std::sin(x);
    }
};
struct Tan {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::tan(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const V cosine = std::cos(x);
        return dy / (cosine * cosine);
    }
};
struct Asin {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::asin(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy / std::sqrt((1 - x) * (1 + x));
    }
};
struct Acos {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::acos(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return -dy / std::sqrt((1 - x) * (1 + x));
    }
};
struct Atan {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::atan(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy / (1 + x * x);
    }
};
struct Sinh {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::sinh(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy * std::cosh(x);
    }
};
struct Cosh {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::cosh(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy * std::sinh(x);
    }
};
struct Erf {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::erf(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        constexpr V slope_at_0 = V(1.1283791670955126);  // 2 / sqrt(pi)
        return dy * slope_at_0 * std::exp(-x * x);
    }
};

/// x to the power of a number. The derivative is 0 for the exponent 0.
struct PowerOf {
    static constexpr bool keeps_result = false;
    double exponent;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::pow(v, static_cast<V>(exponent));
    }
    template <class V>
    RADIAL_HD V derivative(V dy, V x) const {
        if (exponent == 0) return V{0};
        return dy * static_cast<V>(exponent) * std::pow(x, static_cast<V>(exponent - 1));
    }
};

}  // namespace radial::kernels
