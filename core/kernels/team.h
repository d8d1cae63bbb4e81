// Teams: the lanes (threads) that work on one row together. A row kernel is written once, using these calls:
//
//   team.sum(n, g)    the sum of g(i) over [0, n), returned on every lane
//   team.max(n, g)    the largest g(i); NaN if any is NaN, -inf if n is 0
//   team.each(n, g)   calls g(i) for every i in [0, n); all lanes can then read what it wrote
//   team.once(g)      calls g() on one lane
//
// Code between these calls runs on every lane, so it may compute but must not write.
#pragma once

#include "radial/core/kernels/host_device.h"

#include <cstdint>
#include <limits>
#include <type_traits>

// Allows the compiler to vectorise the following loop, whose iterations must be independent. Has no effect in device
// code.
#ifdef __CUDA_ARCH__
#define RADIAL_SIMD(...)
#else
#define RADIAL_PRAGMA(text) _Pragma(#text)
#define RADIAL_SIMD(...) RADIAL_PRAGMA(omp simd __VA_ARGS__)
#endif

namespace radial::kernels {

/// The type that g(i) returns for an index i.
template <class G>
using Returned = decltype(static_cast<const G*>(nullptr)->operator()(std::int64_t{}));

/// Infinity, for device code, which cannot call the functions of std::numeric_limits.
template <class V>
inline constexpr V infinity = std::numeric_limits<V>::infinity();
/// NaN, for device code.
template <class V>
inline constexpr V not_a_number = std::numeric_limits<V>::quiet_NaN();

/// The larger of two numbers; NaN when either is NaN.
template <class V>
RADIAL_HD V larger(V a, V b) {
    if (a != a) return a;
    return b > a || b != b ? b : a;
}

/// The team of the CPU: one lane that does all the work.
struct SerialTeam {
    /// The sum of g(i) over [0, n).
    template <class G>
    RADIAL_HD Returned<G> sum(std::int64_t n, const G& g) const {
        Returned<G> total{};
        if constexpr (std::is_arithmetic_v<Returned<G>>) {
            RADIAL_SIMD(reduction(+ : total))
            for (std::int64_t i = 0; i < n; ++i) total += g(i);
        } else {
            for (std::int64_t i = 0; i < n; ++i) total += g(i);
        }
        return total;
    }
    /// The largest g(i) over [0, n); NaN if any is NaN, -inf if n is 0.
    template <class G>
    RADIAL_HD Returned<G> max(std::int64_t n, const G& g) const {
        using V = Returned<G>;
        constexpr int partials = 8;  // independent maxima, for instruction-level parallelism in long rows
        V best = -infinity<V>;
        std::int64_t i = 0;
        if (n < 4 * partials) {
            for (; i < n; ++i) best = larger(best, g(i));
            return best;
        }
        V top[partials], odd[partials];  // comparisons skip NaN, so NaNs are collected separately
        for (int k = 0; k < partials; ++k) top[k] = odd[k] = best;
        for (; i + partials <= n; i += partials) {
            for (int k = 0; k < partials; ++k) {
                const V v = g(i + k), old = top[k], seen = odd[k];
                top[k] = v > old ? v : old;
                odd[k] = v == v ? seen : v;
            }
        }
        for (int k = 0; k < partials; ++k) best = top[k] > best ? top[k] : best;
        for (int k = 0; k < partials; ++k) best = odd[k] == odd[k] ? best : odd[k];
        for (; i < n; ++i) best = larger(best, g(i));
        return best;
    }
    /// Calls g(i) for every i in [0, n).
    template <class G>
    RADIAL_HD void each(std::int64_t n, const G& g) const {
        RADIAL_SIMD()
        for (std::int64_t i = 0; i < n; ++i) g(i);
    }
    /// Calls g().
    template <class G>
    RADIAL_HD void once(const G& g) const {
        g();
    }
};

/// W lanes that run one after another and combine partial sums in the same order as a device. Used to test the row
/// kernels of a device on the CPU.
template <int W>
struct HostTeam {
    static_assert((W & (W - 1)) == 0, "the tree over lanes halves them");

    /// The sum of g(i) over [0, n).
    template <class G>
    RADIAL_HD Returned<G> sum(std::int64_t n, const G& g) const {
        return combine<Returned<G>>(n, g, Returned<G>{}, [](auto a, const auto& b) {
            a += b;
            return a;
        });
    }
    /// The largest g(i) over [0, n); NaN if any is NaN, -inf if n is 0.
    template <class G>
    RADIAL_HD Returned<G> max(std::int64_t n, const G& g) const {
        return combine<Returned<G>>(n, g, -infinity<Returned<G>>, [](auto a, auto b) { return larger(a, b); });
    }
    /// Calls g(i) for every i in [0, n).
    template <class G>
    RADIAL_HD void each(std::int64_t n, const G& g) const {
        for (std::int64_t lane = 0; lane < W; ++lane)
            for (std::int64_t i = lane; i < n; i += W) g(i);
    }
    /// Calls g().
    template <class G>
    RADIAL_HD void once(const G& g) const {
        g();
    }

private:
    template <class V, class G, class Join>
    RADIAL_HD static V combine(std::int64_t n, const G& g, V start, const Join& join) {
        V lanes[W];
        for (int lane = 0; lane < W; ++lane) {
            lanes[lane] = start;
            for (std::int64_t i = lane; i < n; i += W) lanes[lane] = join(lanes[lane], g(i));
        }
        for (int half = W / 2; half > 0; half /= 2)
            for (int lane = 0; lane < half; ++lane) lanes[lane] = join(lanes[lane], lanes[lane + half]);
        return lanes[0];
    }
};

}  // namespace radial::kernels
