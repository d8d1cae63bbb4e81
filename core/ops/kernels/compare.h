// Comparisons, logical functions that return 1 or 0, choices, and other functions of two or three numbers for the loops
// of elementwise.h; and the loops over three tensors.
#pragma once

#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// out = G(a, b, c), in packs as in Unary.
template <class T, class G, int N>
struct Ternary : G {
    const T *a, *b, *c;
    T* out;
    RADIAL_HD T one(const T& u, const T& v, const T& w) const {
        using C = Compute<T>;
        return convert<T>(G::operator()(convert<C>(u), convert<C>(v), convert<C>(w)));
    }
    RADIAL_HD void operator()(std::int64_t i) const {
        if constexpr (N == 1) {
            out[i] = one(a[i], b[i], c[i]);
        } else {
            const Pack<T, N> u = reinterpret_cast<const Pack<T, N>*>(a)[i];
            const Pack<T, N> v = reinterpret_cast<const Pack<T, N>*>(b)[i];
            const Pack<T, N> w = reinterpret_cast<const Pack<T, N>*>(c)[i];
            Pack<T, N> result;
            for (int k = 0; k < N; ++k) result.value[k] = one(u.value[k], v.value[k], w.value[k]);
            reinterpret_cast<Pack<T, N>*>(out)[i] = result;
        }
    }
};

/// Like Stretch, for three tensors that are broadcast to one shape.
struct Stretch3 {
    static constexpr int max_rank = 5;  ///< largest number of dimensions, not counting the last
    std::int64_t extent[max_rank], step[3][max_rank], inner, inner_step[3], rank;

    /// Sets offset[t] to the first element of row `row` in tensor t.
    RADIAL_HD void row_starts(std::int64_t row, std::int64_t (&offset)[3]) const {
        offset[0] = offset[1] = offset[2] = 0;
        for (int d = max_rank - 1; d >= 0; --d) {
            if (d >= rank) continue;
            const std::int64_t at = row % extent[d];
            for (int t = 0; t < 3; ++t) offset[t] += at * step[t][d];
            row /= extent[d];
        }
    }
};

/// Returns element i of a row, or if the row repeats a single value, that value.
template <bool Single, class T>
RADIAL_HD Compute<T> element_of(const T* row, Compute<T> single, std::int64_t i) {
    if constexpr (Single) return single;
    return convert<Compute<T>>(row[i]);
}

/// out = G(a, b, c), each broadcast, row by row.
template <class T, class G>
struct TernaryStretched : G {
    const T *a, *b, *c;
    T* out;
    Stretch3 at;

    template <bool A, bool B, bool C, class Team>
    RADIAL_HD void along(const Team& team, const T* u, const T* v, const T* w, T* to) const {
        using Value = Compute<T>;
        const Value first = convert<Value>(*u), second = convert<Value>(*v), third = convert<Value>(*w);
        const G g = *this;
        team.each(at.inner, [=](std::int64_t i) {
            to[i] = convert<T>(g(element_of<A>(u, first, i), element_of<B>(v, second, i), element_of<C>(w, third, i)));
        });
    }
    template <bool A, bool B, class Team>
    RADIAL_HD void choose_third(const Team& team, const T* u, const T* v, const T* w, T* to) const {
        at.inner_step[2] == 0 ? along<A, B, true>(team, u, v, w, to) : along<A, B, false>(team, u, v, w, to);
    }
    template <bool A, class Team>
    RADIAL_HD void choose_second(const Team& team, const T* u, const T* v, const T* w, T* to) const {
        at.inner_step[1] == 0 ? choose_third<A, true>(team, u, v, w, to) : choose_third<A, false>(team, u, v, w, to);
    }
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        std::int64_t offset[3];
        at.row_starts(row, offset);
        const T *const u = a + offset[0], *const v = b + offset[1], *const w = c + offset[2];
        T* const to = out + row * at.inner;
        const std::int64_t p = at.inner_step[0], q = at.inner_step[1], r = at.inner_step[2];
        if (p <= 1 && q <= 1 && r <= 1) {
            p == 0 ? choose_second<true>(team, u, v, w, to) : choose_second<false>(team, u, v, w, to);
            return;
        }
        using C = Compute<T>;
        const G g = *this;
        team.each(at.inner, [=](std::int64_t i) {
            to[i] = convert<T>(g(convert<C>(u[i * p]), convert<C>(v[i * q]), convert<C>(w[i * r])));
        });
    }
};

// ---- comparisons and logic: 1 or 0 ----

struct Equal {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a == b ? V{1} : V{0};
    }
};
struct NotEqual {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a != b ? V{1} : V{0};
    }
};
struct Less {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a < b ? V{1} : V{0};
    }
};
struct LessEqual {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a <= b ? V{1} : V{0};
    }
};
struct Greater {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a > b ? V{1} : V{0};
    }
};
struct GreaterEqual {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a >= b ? V{1} : V{0};
    }
};
struct LogicalAnd {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a != 0 && b != 0 ? V{1} : V{0};
    }
};
struct LogicalOr {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return a != 0 || b != 0 ? V{1} : V{0};
    }
};
/// A comparison with a number.
template <class G>
struct WithNumber : G {
    double number;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return G::operator()(v, static_cast<V>(number));
    }
};
struct LogicalNot {
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v == 0 ? V{1} : V{0};
    }
};
struct IsNan {
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v != v ? V{1} : V{0};
    }
};
struct IsFinite {
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v - v == 0 ? V{1} : V{0};
    }
};

// ---- choices ----

/// condition ? a : b.
struct Select {
    template <class V>
    RADIAL_HD V operator()(V condition, V a, V b) const {
        return condition != 0 ? a : b;
    }
};
/// dy where the condition is true, else 0.
struct KeepIf {
    template <class V>
    RADIAL_HD V operator()(V dy, V condition) const {
        return condition != 0 ? dy : V{0};
    }
};
/// dy where the condition is false, else 0.
struct KeepUnless {
    template <class V>
    RADIAL_HD V operator()(V dy, V condition) const {
        return condition != 0 ? V{0} : dy;
    }
};

/// The larger number; NaN if either is NaN.
struct Maximum {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        const V larger = a > b ? a : b, other = a != a ? a : larger;
        return other;
    }
};
/// The smaller number; NaN if either is NaN.
struct Minimum {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        const V smaller = a < b ? a : b, other = a != a ? a : smaller;
        return other;
    }
};
/// The gradient of max(own, other) with respect to `own`: dy, dy / 2 at a tie, or 0 if `own` is smaller.
struct MaximumGradient {
    template <class V>
    RADIAL_HD V operator()(V dy, V own, V other) const {
        const V part = own == other ? dy / 2 : dy;
        return own < other ? V{0} : part;
    }
};
/// The gradient of min(own, other) with respect to `own`: dy, dy / 2 at a tie, or 0 if `own` is larger.
struct MinimumGradient {
    template <class V>
    RADIAL_HD V operator()(V dy, V own, V other) const {
        const V part = own == other ? dy / 2 : dy;
        return own > other ? V{0} : part;
    }
};

// ---- powers, angles and remainders of two numbers ----

struct Power {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return std::pow(a, b);
    }
};
/// The gradient with respect to the base; 0 for the exponent 0.
struct PowerBaseGradient {
    template <class V>
    RADIAL_HD V operator()(V dy, V a, V b) const {
        return b == 0 ? V{0} : dy * b * std::pow(a, b - 1);
    }
};
/// The gradient with respect to the exponent; 0 for the base 0 and an exponent that is not negative.
struct PowerExponentGradient {
    template <class V>
    RADIAL_HD V operator()(V dy, V a, V b) const {
        return a == 0 && b >= 0 ? V{0} : dy * std::pow(a, b) * std::log(a);
    }
};
struct Atan2 {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return std::atan2(a, b);
    }
};
/// The gradient with respect to a: dy * b / (a^2 + b^2), without overflow; 0 at a = b = 0.
struct Atan2Gradient {
    template <class V>
    RADIAL_HD V operator()(V dy, V a, V b) const {
        const V length = std::hypot(a, b);
        return length == 0 ? V{0} : dy * (b / length) / length;
    }
};
/// The gradient with respect to b: -dy * a / (a^2 + b^2), without overflow; 0 at a = b = 0.
struct Atan2SecondGradient {
    template <class V>
    RADIAL_HD V operator()(V dy, V a, V b) const {
        const V length = std::hypot(a, b);
        return length == 0 ? V{0} : -dy * (a / length) / length;
    }
};
/// a - b * trunc(a / b), with the sign of a.
struct Fmod {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        return std::fmod(a, b);
    }
};
/// a - b * floor(a / b), with the sign of b.
struct Remainder {
    template <class V>
    RADIAL_HD V operator()(V a, V b) const {
        const V rest = std::fmod(a, b);
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
};
/// -dy * trunc(a / b). The quotient is computed from the remainder, so that rounding does not carry it to the next
/// integer.
struct FmodDivisorGradient {
    template <class V>
    RADIAL_HD V operator()(V dy, V a, V b) const {
        return -dy * std::nearbyint((a - Fmod{}(a, b)) / b);
    }
};
/// -dy * floor(a / b), computed as in FmodDivisorGradient.
struct RemainderDivisorGradient {
    template <class V>
    RADIAL_HD V operator()(V dy, V a, V b) const {
        return -dy * std::nearbyint((a - Remainder{}(a, b)) / b);
    }
};

}  // namespace radial::kernels
