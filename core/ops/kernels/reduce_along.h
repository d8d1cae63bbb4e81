// Reductions of [outer, extent, inner] over `extent` other than sums: extremes, moments, products, norms, counts.
//
// A reduction R is a struct with a function value(team, n, g), which reduces g(0) to g(n - 1). If it is differentiable,
// it also has derivative(team, n, g, y), where y is that value. This returns a functor, whose value at g(e) is the
// derivative of y with respect to g(e). ReduceAlong and ReduceAlongGradient apply them to every row.
#pragma once

#include "radial/core/ops/kernels/reduce.h"

namespace radial::kernels {

/// The offset of the first element of the row of result `result`.
RADIAL_HD inline std::int64_t row_start(std::int64_t result, std::int64_t extent, std::int64_t inner) {
    return result / inner * extent * inner + result % inner;
}

template <class T, class To, class R>
struct ReduceAlong {
    const T* in;
    To* out;
    std::int64_t extent, inner;
    R reduction;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t result) const {
        const T* const from = in + row_start(result, extent, inner);
        const std::int64_t step = inner;
        if (step == 1) {  // if known to be contiguous, the loops can be vectorised
            store(team, result, [=](std::int64_t e) { return convert<Compute<T>>(from[e]); });
        } else {
            store(team, result, [=](std::int64_t e) { return convert<Compute<T>>(from[e * step]); });
        }
    }

private:
    template <class Team, class G>
    RADIAL_HD void store(const Team& team, std::int64_t result, const G& g) const {
        const auto value = reduction.value(team, extent, g);
        To* const to = out + result;
        team.once([=] { *to = convert<To>(value); });
    }
};

/// dx = dy * derivative. dx may equal the input.
template <class T, class R>
struct ReduceAlongGradient {
    const T *in, *y, *dy;
    T* dx;
    std::int64_t extent, inner;
    R reduction;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t result) const {
        using C = Compute<T>;
        const std::int64_t first = row_start(result, extent, inner), step = inner;
        const T* const from = in + first;
        T* const to = dx + first;
        const C value = convert<C>(y[result]), grad = convert<C>(dy[result]);
        if (step == 1) {
            const auto g = [=](std::int64_t e) { return convert<C>(from[e]); };
            const auto derivative = reduction.derivative(team, extent, g, value);
            team.each(extent, [=](std::int64_t e) { to[e] = convert<T>(grad * derivative(g(e))); });
        } else {
            const auto g = [=](std::int64_t e) { return convert<C>(from[e * step]); };
            const auto derivative = reduction.derivative(team, extent, g, value);
            team.each(extent, [=](std::int64_t e) { to[e * step] = convert<T>(grad * derivative(g(e))); });
        }
    }
};

/// Whether both are equal or both are NaN.
template <class C>
RADIAL_HD bool same(C a, C b) {
    return a == b || (a != a && b != b);
}

/// The gradient of an extreme, divided evenly among the elements that are equal to it.
template <class C>
struct EvenShare {
    C extreme, share;
    RADIAL_HD C operator()(C v) const { return same(v, extreme) ? share : C{0}; }
};

/// The largest element (Sign = 1) or the smallest (Sign = -1); NaN if there is one.
template <int Sign>
struct Extreme {
    template <class Team, class G>
    RADIAL_HD auto value(const Team& team, std::int64_t n, const G& g) const {
        return Sign * team.max(n, [=](std::int64_t e) { return Sign * g(e); });
    }
    template <class Team, class G, class C>
    RADIAL_HD EvenShare<C> derivative(const Team& team, std::int64_t n, const G& g, C y) const {
        const double equal = team.sum(n, [=](std::int64_t e) { return same(g(e), y) ? 1.0 : 0.0; });
        return {y, static_cast<C>(1 / equal)};
    }
};

/// factor * (v - center).
template <class C>
struct Centered {
    double center, factor;
    RADIAL_HD C operator()(C v) const { return static_cast<C>(factor * (static_cast<double>(v) - center)); }
};

/// The mean squared deviation from the mean, with n - correction as divisor, or its root.
template <bool Root>
struct Variance {
    int correction;

    template <class Team, class G>
    RADIAL_HD static double mean(const Team& team, std::int64_t n, const G& g) {
        return team.sum(n, [=](std::int64_t e) { return static_cast<double>(g(e)); }) / static_cast<double>(n);
    }
    RADIAL_HD double divisor(std::int64_t n) const {
        return n > correction ? static_cast<double>(n - correction) : 0.0;
    }
    template <class Team, class G>
    RADIAL_HD double value(const Team& team, std::int64_t n, const G& g) const {
        const double center = mean(team, n, g);
        const double total = team.sum(n, [=](std::int64_t e) {
            const double off = static_cast<double>(g(e)) - center;
            return off * off;
        });
        const double variance = total / divisor(n);
        return Root ? std::sqrt(variance) : variance;
    }
    template <class Team, class G, class C>
    RADIAL_HD Centered<C> derivative(const Team& team, std::int64_t n, const G& g, C y) const {
        const double center = mean(team, n, g);
        if (!Root) return {center, 2 / divisor(n)};
        return {center, y == 0 ? 0.0 : 1 / (divisor(n) * static_cast<double>(y))};
    }
};

/// A number that += multiplies, so that Team::sum() computes products.
struct Factor {
    double value = 1;
    RADIAL_HD Factor& operator+=(const Factor& other) {
        value *= other.value;
        return *this;
    }
};

/// The product of the other elements.
template <class C>
struct Cofactor {
    double product;  ///< of the elements that are not 0
    double zeros;    ///< the number of zeros
    RADIAL_HD C operator()(C v) const {
        if (v == 0) return zeros == 1 ? static_cast<C>(product) : C{0};
        return zeros == 0 ? static_cast<C>(product / static_cast<double>(v)) : C{0};
    }
};

struct Product {
    template <class Team, class G>
    RADIAL_HD double value(const Team& team, std::int64_t n, const G& g) const {
        return team.sum(n, [=](std::int64_t e) { return Factor{static_cast<double>(g(e))}; }).value;
    }
    template <class Team, class G, class C>
    RADIAL_HD Cofactor<C> derivative(const Team& team, std::int64_t n, const G& g, C) const {
        const double zeros = team.sum(n, [=](std::int64_t e) { return g(e) == 0 ? 1.0 : 0.0; });
        const Factor others = team.sum(n, [=](std::int64_t e) {
            const double v = static_cast<double>(g(e));
            return Factor{v == 0 ? 1.0 : v};
        });
        return {others.value, zeros};
    }
};

/// 1, -1, 0 or NaN.
template <class C>
RADIAL_HD C sign_of(C v) {
    return v > 0 ? C{1} : v < 0 ? C{-1} : v;
}
template <class C>
RADIAL_HD C magnitude(C v) {
    return v < 0 ? -v : v;
}

/// The sum of magnitudes.
struct Norm1 {
    template <class C>
    struct Sign {
        RADIAL_HD C operator()(C v) const { return sign_of(v); }
    };
    template <class Team, class G>
    RADIAL_HD double value(const Team& team, std::int64_t n, const G& g) const {
        return team.sum(n, [=](std::int64_t e) { return static_cast<double>(magnitude(g(e))); });
    }
    template <class Team, class G, class C>
    RADIAL_HD Sign<C> derivative(const Team&, std::int64_t, const G&, C) const {
        return {};
    }
};

/// The root of the sum of squares.
struct Norm2 {
    template <class Team, class G>
    RADIAL_HD double value(const Team& team, std::int64_t n, const G& g) const {
        return std::sqrt(team.sum(n, [=](std::int64_t e) {
            const double v = static_cast<double>(g(e));
            return v * v;
        }));
    }
    template <class Team, class G, class C>
    RADIAL_HD Centered<C> derivative(const Team&, std::int64_t, const G&, C y) const {
        return {0, y == 0 ? 0.0 : 1 / static_cast<double>(y)};
    }
};

/// The largest magnitude.
struct NormMax {
    template <class C>
    struct Share {
        C largest, share;
        RADIAL_HD C operator()(C v) const { return same(magnitude(v), largest) ? sign_of(v) * share : C{0}; }
    };
    template <class Team, class G>
    RADIAL_HD auto value(const Team& team, std::int64_t n, const G& g) const {
        const auto top = team.max(n, [=](std::int64_t e) { return magnitude(g(e)); });
        return top < 0 ? decltype(top){0} : top;  // -inf if there is no element
    }
    template <class Team, class G, class C>
    RADIAL_HD Share<C> derivative(const Team& team, std::int64_t n, const G& g, C y) const {
        const double equal = team.sum(n, [=](std::int64_t e) { return same(magnitude(g(e)), y) ? 1.0 : 0.0; });
        return {y, static_cast<C>(1 / equal)};
    }
};

/// log(sum of exp).
struct LogSumExp {
    template <class C>
    struct Share {
        LogSum<C> all;
        RADIAL_HD C operator()(C v) const { return v == -infinity<C> ? C{0} : exponential(all.relative(v)); }
    };
    template <class Team, class G>
    RADIAL_HD auto value(const Team& team, std::int64_t n, const G& g) const {
        return log_sum(team, n, g).value();
    }
    template <class Team, class G, class C>
    RADIAL_HD Share<C> derivative(const Team& team, std::int64_t n, const G& g, C) const {
        return {log_sum(team, n, g)};
    }
};

/// The number of elements that are not 0; NaN is not 0.
struct CountNonzero {
    template <class Team, class G>
    RADIAL_HD double value(const Team& team, std::int64_t n, const G& g) const {
        return team.sum(n, [=](std::int64_t e) { return g(e) != 0 ? 1.0 : 0.0; });
    }
};
/// 1 if no element is 0, else 0.
struct AllNonzero {
    template <class Team, class G>
    RADIAL_HD double value(const Team& team, std::int64_t n, const G& g) const {
        return CountNonzero{}.value(team, n, g) == static_cast<double>(n) ? 1.0 : 0.0;
    }
};
/// 1 if an element is not 0, else 0.
struct AnyNonzero {
    template <class Team, class G>
    RADIAL_HD double value(const Team& team, std::int64_t n, const G& g) const {
        return CountNonzero{}.value(team, n, g) > 0 ? 1.0 : 0.0;
    }
};

/// The index of the first largest (Sign = 1) or smallest (Sign = -1) element; the first NaN if there is one.
template <int Sign>
struct ArgExtreme {
    template <class Team, class G>
    RADIAL_HD std::int64_t value(const Team& team, std::int64_t n, const G& g) const {
        return first_largest(team, n, [=](std::int64_t e) { return Sign * g(e); });
    }
};

}  // namespace radial::kernels
