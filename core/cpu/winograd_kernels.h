// Winograd's minimal filtering (Lavin & Gray 2016, sections 4.1 to 4.3) of one tile and a vector of channels:
// F(4x4, 3x3) and F(2x2, 3x3).
//
// A tile of results is A' [(B' d B) . (G g G')] A with d its patch of the image, g the kernel and . the product of
// elements. The gradient of g takes the transposes of A' and G.
#pragma once

#include "radial/core/cpu/vectors.h"

#include <cstdint>

namespace radial::winograd {

inline constexpr std::int64_t lanes = 8;
using Lanes = vectors::Vector<lanes>;

/// Results a tile across and down, weights a kernel across and down, and the points at which polynomials are
/// multiplied: 0, 1, -1, 2, -2, infinity.
struct F4x3 {
    static constexpr int tile = 4, taps = 3, points = 6;

    /// B' d
    static void image(const Lanes (&d)[points], Lanes (&t)[points]) {
        const Lanes a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
        t[0] = 4 * d[0] - 5 * d[2] + d[4];
        t[1] = a + b;
        t[2] = a - b;
        t[3] = c + e;
        t[4] = c - e;
        t[5] = 4 * d[1] - 5 * d[3] + d[5];
    }
    /// G g
    static void kernel(const Lanes (&g)[taps], Lanes (&u)[points]) {
        const Lanes sixth = (g[0] + g[2]) * (-1.0F / 6), middle = g[1] * (1.0F / 6);
        const Lanes outer = g[0] * (1.0F / 24) + g[2] * (1.0F / 6), twelfth = g[1] * (1.0F / 12);
        u[0] = g[0] * 0.25F;
        u[1] = sixth - middle;
        u[2] = sixth + middle;
        u[3] = outer + twelfth;
        u[4] = outer - twelfth;
        u[5] = g[2];
    }
    /// A' m
    static void result(const Lanes (&m)[points], Lanes (&y)[tile]) {
        const Lanes s = m[1] + m[2], d = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
        y[0] = m[0] + s + s2;
        y[1] = d + 2 * d2;
        y[2] = s + 4 * s2;
        y[3] = d + 8 * d2 + m[5];
    }
    /// A y
    static void result_gradient(const Lanes (&y)[tile], Lanes (&m)[points]) {
        const Lanes even = y[0] + y[2], odd = y[1] + y[3], even2 = y[0] + 4 * y[2], odd2 = 2 * y[1] + 8 * y[3];
        m[0] = y[0];
        m[1] = even + odd;
        m[2] = even - odd;
        m[3] = even2 + odd2;
        m[4] = even2 - odd2;
        m[5] = y[3];
    }
    /// G' u
    static void kernel_gradient(const Lanes (&u)[points], Lanes (&g)[taps]) {
        const Lanes s = (u[1] + u[2]) * (-1.0F / 6), d = (u[2] - u[1]) * (1.0F / 6);
        const Lanes s2 = u[3] + u[4], d2 = u[3] - u[4];
        g[0] = u[0] * 0.25F + s + s2 * (1.0F / 24);
        g[1] = d + d2 * (1.0F / 12);
        g[2] = s + s2 * (1.0F / 6) + u[5];
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
