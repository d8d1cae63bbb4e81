// Winograd's minimal filtering (Lavin & Gray 2016, sections 4.1 to 4.3) of one tile and a vector of channels:
// F(4x4, 3x3), F(2x2, 3x3) and F(2x2, 5x5).
//
// A tile of results is A' [(B' d B) . (G g G')] A with d its patch of the image, g the kernel and . the product of
// elements. The gradient of g takes the transposes of A' and G.
#pragma once

#include "radial/core/backend/cpu/small_products.h"

#include <cstdint>

namespace radial::winograd {

using small_products::lanes;
using Lanes = vectors::Vector<lanes>;

/// u = the values at 0, p, -p, q, -q and infinity of what has these even and odd parts at p and q.
inline void at_points(const Lanes& at_zero, const Lanes& even_p, const Lanes& odd_p, const Lanes& even_q,
                      const Lanes& odd_q, const Lanes& at_infinity, Lanes (&u)[6]) {
    u[0] = at_zero;
    u[1] = even_p + odd_p;
    u[2] = even_p - odd_p;
    u[3] = even_q + odd_q;
    u[4] = even_q - odd_q;
    u[5] = at_infinity;
}

/// Results a tile across and down, weights a kernel across and down, and the points at which polynomials are
/// multiplied: 0, 5/8, -5/8, 3/2, -3/2, infinity. With the simpler 1, -1, 2, -2 rounding's errors are twice as large in
/// the mean and four times at worst (Barabasz et al. 2020 choose points by that).
struct F4x3 {
    static constexpr int tile = 4, taps = 3, points = 6;
    static constexpr float a = 0.625F, b = 1.5F, aa = a * a, bb = b * b;
    /// One over the products of a point's distances from the others.
    static constexpr float at_0 = 1 / (aa * bb), at_a = 1 / (2 * aa * (aa - bb)), at_b = 1 / (2 * bb * (bb - aa));

    /// B' d
    static void image(const Lanes (&d)[points], Lanes (&t)[points]) {
        const Lanes even_a = d[4] - bb * d[2], odd_a = d[3] - bb * d[1];
        const Lanes even_b = d[4] - aa * d[2], odd_b = d[3] - aa * d[1];
        at_points(aa * bb * d[0] - (aa + bb) * d[2] + d[4], even_a, a * odd_a, even_b, b * odd_b,
                  aa * bb * d[1] - (aa + bb) * d[3] + d[5], t);
    }
    /// G g
    static void kernel(const Lanes (&g)[taps], Lanes (&u)[points]) {
        const Lanes even_a = (g[0] + aa * g[2]) * at_a, odd_a = g[1] * (a * at_a);
        const Lanes even_b = (g[0] + bb * g[2]) * at_b, odd_b = g[1] * (b * at_b);
        at_points(g[0] * at_0, even_a, odd_a, even_b, odd_b, g[2], u);
    }
    /// A' m
    static void result(const Lanes (&m)[points], Lanes (&y)[tile]) {
        const Lanes sum_a = m[1] + m[2], difference_a = m[1] - m[2];
        const Lanes sum_b = m[3] + m[4], difference_b = m[3] - m[4];
        y[0] = m[0] + sum_a + sum_b;
        y[1] = a * difference_a + b * difference_b;
        y[2] = aa * sum_a + bb * sum_b;
        y[3] = a * aa * difference_a + b * bb * difference_b + m[5];
    }
    /// A y
    static void result_gradient(const Lanes (&y)[tile], Lanes (&m)[points]) {
        const Lanes even_a = y[0] + aa * y[2], odd_a = a * y[1] + a * aa * y[3];
        const Lanes even_b = y[0] + bb * y[2], odd_b = b * y[1] + b * bb * y[3];
        at_points(y[0], even_a, odd_a, even_b, odd_b, y[3], m);
    }
    /// G' u
    static void kernel_gradient(const Lanes (&u)[points], Lanes (&g)[taps]) {
        const Lanes sum_a = (u[1] + u[2]) * at_a, sum_b = (u[3] + u[4]) * at_b;
        g[0] = u[0] * at_0 + sum_a + sum_b;
        g[1] = (u[1] - u[2]) * (a * at_a) + (u[3] - u[4]) * (b * at_b);
        g[2] = aa * sum_a + bb * sum_b + u[5];
    }
};

/// The same with the points 0, 1, -1 and infinity.
struct F2x3 {
    static constexpr int tile = 2, taps = 3, points = 4;

    static void image(const Lanes (&d)[points], Lanes (&t)[points]) {
        t[0] = d[0] - d[2];
        t[1] = d[1] + d[2];
        t[2] = d[2] - d[1];
        t[3] = d[1] - d[3];
    }
    static void kernel(const Lanes (&g)[taps], Lanes (&u)[points]) {
        const Lanes outer = (g[0] + g[2]) * 0.5F, middle = g[1] * 0.5F;
        u[0] = g[0];
        u[1] = outer + middle;
        u[2] = outer - middle;
        u[3] = g[2];
    }
    static void result(const Lanes (&m)[points], Lanes (&y)[tile]) {
        y[0] = m[0] + m[1] + m[2];
        y[1] = m[1] - m[2] - m[3];
    }
    static void result_gradient(const Lanes (&y)[tile], Lanes (&m)[points]) {
        m[0] = y[0];
        m[1] = y[0] + y[1];
        m[2] = y[0] - y[1];
        m[3] = -y[1];
    }
    static void kernel_gradient(const Lanes (&u)[points], Lanes (&g)[taps]) {
        const Lanes s = (u[1] + u[2]) * 0.5F;
        g[0] = u[0] + s;
        g[1] = (u[1] - u[2]) * 0.5F;
        g[2] = s + u[3];
    }
};

/// Kernels of 5 weights at the points of F4x3.
struct F2x5 {
    static constexpr int tile = 2, taps = 5, points = 6;
    static constexpr float a = F4x3::a, b = F4x3::b, aa = a * a, bb = b * b;

    static void image(const Lanes (&d)[points], Lanes (&t)[points]) { F4x3::image(d, t); }
    static void kernel(const Lanes (&g)[taps], Lanes (&u)[points]) {
        const Lanes even_a = (g[0] + aa * g[2] + aa * aa * g[4]) * F4x3::at_a,
                    odd_a = (g[1] + aa * g[3]) * (a * F4x3::at_a);
        const Lanes even_b = (g[0] + bb * g[2] + bb * bb * g[4]) * F4x3::at_b,
                    odd_b = (g[1] + bb * g[3]) * (b * F4x3::at_b);
        at_points(g[0] * F4x3::at_0, even_a, odd_a, even_b, odd_b, g[4], u);
    }
    static void result(const Lanes (&m)[points], Lanes (&y)[tile]) {
        y[0] = m[0] + (m[1] + m[2]) + (m[3] + m[4]);
        y[1] = a * (m[1] - m[2]) + b * (m[3] - m[4]) + m[5];
    }
    static void result_gradient(const Lanes (&y)[tile], Lanes (&m)[points]) {
        at_points(y[0], y[0], a * y[1], y[0], b * y[1], y[1], m);
    }
    static void kernel_gradient(const Lanes (&u)[points], Lanes (&g)[taps]) {
        const Lanes sum_a = (u[1] + u[2]) * F4x3::at_a, difference_a = (u[1] - u[2]) * (a * F4x3::at_a);
        const Lanes sum_b = (u[3] + u[4]) * F4x3::at_b, difference_b = (u[3] - u[4]) * (b * F4x3::at_b);
        g[0] = u[0] * F4x3::at_0 + sum_a + sum_b;
        g[1] = difference_a + difference_b;
        g[2] = aa * sum_a + bb * sum_b;
        g[3] = aa * difference_a + bb * difference_b;
        g[4] = aa * aa * sum_a + bb * bb * sum_b + u[5];
    }
};

/// out = T in T' for the map T that `once` applies to a vector of `from` numbers.
template <int from, int to, class Once>
void both_ways(const Lanes (&in)[from][from], Lanes (&out)[to][to], const Once& once) {
    Lanes half[to][from];
#pragma GCC unroll 8
    for (int j = 0; j < from; ++j) {
        Lanes column[from], made[to];
#pragma GCC unroll 8
        for (int i = 0; i < from; ++i) column[i] = in[i][j];
        once(column, made);
#pragma GCC unroll 8
        for (int i = 0; i < to; ++i) half[i][j] = made[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < to; ++i) once(half[i], out[i]);
}

}  // namespace radial::winograd
