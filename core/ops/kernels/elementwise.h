// Elementwise kernels: the loops, and the functions that they apply.
//
// The arguments and the result of a function are Compute<T>. A function has at most a few doubles as state and does not
// access memory. A loop derives from its function, so that a function without state takes no space.
#pragma once

#include "radial/core/kernels/values.h"

#include <array>
#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// out = G(in), in packs of N adjacent elements: element i is a number if N is 1, and otherwise a pack.
template <class To, class From, class G, int N>
struct Unary : G {
    const From* in;
    To* out;
    RADIAL_HD To one(const From& v) const { return convert<To>(G::operator()(convert<Compute<From>>(v))); }
    RADIAL_HD void operator()(std::int64_t i) const {
        if constexpr (N == 1) {
            out[i] = one(in[i]);
        } else {
            const Pack<From, N> v = reinterpret_cast<const Pack<From, N>*>(in)[i];
            Pack<To, N> result;
            for (int k = 0; k < N; ++k) result.value[k] = one(v.value[k]);
            reinterpret_cast<Pack<To, N>*>(out)[i] = result;
        }
    }
};

/// out = G(a, b), in packs as in Unary.
template <class T, class G, int N>
struct Binary : G {
    const T *a, *b;
    T* out;
    RADIAL_HD T one(const T& v, const T& w) const {
        return convert<T>(G::operator()(convert<Compute<T>>(v), convert<Compute<T>>(w)));
    }
    RADIAL_HD void operator()(std::int64_t i) const {
        if constexpr (N == 1) {
            out[i] = one(a[i], b[i]);
        } else {
            const Pack<T, N> v = reinterpret_cast<const Pack<T, N>*>(a)[i];
            const Pack<T, N> w = reinterpret_cast<const Pack<T, N>*>(b)[i];
            Pack<T, N> result;
            for (int k = 0; k < N; ++k) result.value[k] = one(v.value[k], w.value[k]);
            reinterpret_cast<Pack<T, N>*>(out)[i] = result;
        }
    }
};

/// Maps an element of the broadcast shape to its memory offset in the original tensor. `extent` and `step` describe the
/// dimensions except the last, outermost first, and `inner` and `inner_step` the last, over which the kernels loop. A
/// step is 0 along a broadcast dimension.
struct Stretch {
    static constexpr int max_rank = 5;  ///< largest number of dimensions, not counting the last
    std::int64_t extent[max_rank], step[max_rank], inner, inner_step, rank;

    /// The offset of the first element of row `row`; a row spans the last dimension.
    RADIAL_HD std::int64_t row_start(std::int64_t row) const {
        std::int64_t offset = 0;
        // The bound is constant so that a device unrolls the loop and keeps the arrays in registers.
        for (int d = max_rank - 1; d >= 0; --d) {
            if (d >= rank) continue;
            offset += row % extent[d] * step[d];
            row /= extent[d];
        }
        return offset;
    }
};

/// Copies a broadcast tensor, row by row.
template <class T>
struct CopyStretched {
    const T* in;
    T* out;
    Stretch at;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const from = in + at.row_start(row);
        T* const to = out + row * at.inner;
        const std::int64_t step = at.inner_step;
        if (step == 1) {
            team.each(at.inner, [=](std::int64_t i) { to[i] = from[i]; });
        } else {
            team.each(at.inner, [=](std::int64_t i) { to[i] = from[i * step]; });
        }
    }
};

/// out = G(a, b broadcast to the shape of a), row by row.
template <class T, class G>
struct BinaryStretched : G {
    const T *a, *b;
    T* out;
    Stretch at;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const T* const left = a + row * at.inner;
        const T* const right = b + at.row_start(row);
        T* const to = out + row * at.inner;
        const std::int64_t step = at.inner_step;
        const G g = *this;
        if (step == 0) {
            const C v = convert<C>(*right);
            team.each(at.inner, [=](std::int64_t i) { to[i] = convert<T>(g(convert<C>(left[i]), v)); });
        } else {
            team.each(at.inner,
                      [=](std::int64_t i) { to[i] = convert<T>(g(convert<C>(left[i]), convert<C>(right[i * step]))); });
        }
    }
};

/// out = G(a, b), where b has a single element.
template <class T, class G>
struct BinaryWithOne : G {
    const T *a, *b;
    T* out;
    RADIAL_HD void operator()(std::int64_t i) const {
        using C = Compute<T>;
        out[i] = convert<T>(G::operator()(convert<C>(a[i]), convert<C>(*b)));
    }
};

// ---- functions of two numbers ----

struct Add {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a + b;
    }
};
struct Subtract {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a - b;
    }
};
struct Multiply {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a * b;
    }
};
struct Divide {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a / b;
    }
};

// ---- functions of one number ----

struct Same {
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v;
    }
};
struct AddNumber {
    double number;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v + static_cast<V>(number);
    }
};
struct MultiplyNumber {
    double number;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v * static_cast<V>(number);
    }
};
/// Clamps to [low, high]. NaN stays NaN.
struct Clamp {
    double low, high;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V above = v < static_cast<V>(low) ? static_cast<V>(low) : v;
        return above > static_cast<V>(high) ? static_cast<V>(high) : above;
    }
};
/// dy where low < x < high, else 0.
struct ClampGradient {
    double low, high;
    template <class V>
    RADIAL_HD V operator()(V dy, V x) const {
        return x <= static_cast<V>(low) || x >= static_cast<V>(high) ? V{0} : dy;
    }
};

// ---- elementary functions with their derivatives: derivative(dy, kept), where kept is the result or the input ----

/// F::derivative as a function of two numbers.
template <class F>
struct Derivative : F {
    template <class V>
    RADIAL_HD V operator()(V dy, V kept) const {
        return F::derivative(dy, kept);
    }
};

struct Exp {
    static constexpr bool keeps_result = true;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::exp(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V y) {
        return dy * y;
    }
};
struct Log {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::log(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return dy / x;
    }
};
struct Sqrt {
    static constexpr bool keeps_result = true;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::sqrt(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V y) {
        return dy / (2 * y);
    }
};
struct Square {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v * v;
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return 2 * dy * x;
    }
};

/// (1 + erf(x / sqrt 2)) / 2.
struct NormalCdf {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        constexpr V root_half = V(0.70710678118654752);
        return std::erfc(-v * root_half) / 2;
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        constexpr V density_at_0 = V(0.39894228040143268);
        return dy * density_at_0 * std::exp(-x * x / 2);
    }
};
/// log(1 + exp(x)).
struct Softplus {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return (v > 0 ? v : V{0}) + std::log1p(std::exp(v > 0 ? -v : v));
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const V e = std::exp(x > 0 ? -x : x);
        return dy * (x > 0 ? 1 / (1 + e) : e / (1 + e));
    }
};

}  // namespace radial::kernels
