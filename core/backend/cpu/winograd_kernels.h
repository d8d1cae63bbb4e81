// Winograd's minimal filtering (Lavin & Gray 2016, sections 4.1 to 4.3) of one tile and one vector of channels:
// F(4x4, 3x3), F(2x2, 3x3) and F(2x2, 5x5).
//
// A tile of results is A' [(B' d B) . (G g G')] A, where ' is the transpose, d is the image patch of the tile, g is the
// kernel, and . is the elementwise product. The gradient of g uses the transposes of A' and G.
//
// Below these are the building blocks of whole convolutions: tiles, and the transforms of images and kernels to
// Winograd's points and back.
#pragma once

#include "radial/core/backend/cpu/norm_kernels.h"
#include "radial/core/backend/cpu/onednn.h"
#include "radial/core/backend/cpu/small_products.h"

#include <algorithm>
#include <cstdint>

namespace radial::winograd {

using small_products::lanes;
using Lanes = vectors::Vector<lanes>;

/// u = the values at 0, p, -p, q, -q and infinity of a polynomial with these even and odd parts at p and q.
inline void at_points(const Lanes& at_zero, const Lanes& even_p, const Lanes& odd_p, const Lanes& even_q,
                      const Lanes& odd_q, const Lanes& at_infinity, Lanes (&u)[6]) {
    u[0] = at_zero;
    u[1] = even_p + odd_p;
    u[2] = even_p - odd_p;
    u[3] = even_q + odd_q;
    u[4] = even_q - odd_q;
    u[5] = at_infinity;
}

/// F(4x4, 3x3). `tile` is the number of results per tile and dimension, `taps` the number of weights per kernel and
/// dimension, and `points` the number of points at which polynomials are multiplied: 0, 5/8, -5/8, 3/2, -3/2, infinity.
/// With the simpler points 1, -1, 2, -2, rounding errors are twice as large on average and four times in the worst case
/// (Barabasz et al. 2020 choose points by this criterion).
struct F4x3 {
    static constexpr int tile = 4, taps = 3, points = 6;
    static constexpr float a = 0.625F, b = 1.5F, aa = a * a, bb = b * b;
    /// The reciprocals of the products of a point's distances from the other points.
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

/// F(2x2, 3x3), with the points 0, 1, -1 and infinity.
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

/// F(2x2, 5x5), with the points of F4x3.
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

/// out = T in T', where T is the linear map that `once` applies to a vector of `from` numbers.
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

using small_products::whole_vectors;
using vectors::load;

/// A channels-last image.
struct Image {
    float* data;
    std::int64_t images, channels, height, width;

    explicit Image(const Tensor& t)
        : data(t.data<float>()), images(t.size(0)), channels(t.size(1)), height(t.size(2)), width(t.size(3)) {}
    /// The channels of a pixel; nullptr for a pixel outside the image.
    float* pixel(std::int64_t n, std::int64_t h, std::int64_t w) const {
        const bool inside = h >= 0 && h < height && w >= 0 && w < width;
        return inside ? data + ((n * height + h) * width + w) * channels : nullptr;
    }
};

template <class F>
inline constexpr std::int64_t points = std::int64_t{F::points} * F::points;

template <class F>
std::int64_t tiles_along(std::int64_t extent) {
    return (extent + F::tile - 1) / F::tile;
}

/// The tiles that cover the images of a result.
template <class F>
struct Tiles {
    std::int64_t down, across, count;

    explicit Tiles(const Image& result)
        : down(tiles_along<F>(result.height)),
          across(tiles_along<F>(result.width)),
          count(result.images * down * across) {}
    /// Pointers to the pixels of a square at tile t, shifted up and left by the padding; nullptr outside the image.
    template <int extent>
    void place(std::int64_t t, const Image& image, std::int64_t pad_h, std::int64_t pad_w,
               float* (&pixels)[extent][extent]) const {
        const std::int64_t n = t / (down * across), row = t / across % down * F::tile - pad_h,
                           column = t % across * F::tile - pad_w;
        for (int i = 0; i < extent; ++i)
            for (int j = 0; j < extent; ++j) pixels[i][j] = image.pixel(n, row + i, column + j);
    }
};

/// Channels are processed in vectors. The last vector may be partly empty: it contains one or more groups of four
/// channels.
inline constexpr std::int64_t quad = 4;

/// Reads the channels of a pixel from c on. Lanes after the last channel are zero.
inline void read(const float* pixel, std::int64_t c, std::int64_t channels, Lanes& to) {
    if (c + lanes <= channels) {
        to = load<lanes>(pixel + c);
    } else {
        to = Lanes{};
        for (std::int64_t l = 0; c + l < channels; l += quad)
            vectors::at<quad>(reinterpret_cast<float*>(&to) + l) = load<quad>(pixel + c + l);
    }
}
inline void write(const Lanes& from, std::int64_t c, std::int64_t channels, float* pixel) {
    if (c + lanes <= channels) {
        vectors::at<lanes>(pixel + c) = from;
    } else {
        for (std::int64_t l = 0; c + l < channels; l += quad)
            vectors::at<quad>(pixel + c + l) = load<quad>(reinterpret_cast<const float*>(&from) + l);
    }
}

/// The memory order of the matrices of the points: one matrix after the other, or interleaved, with all points of one
/// vector of channels of a tile together.
enum class Order : std::uint8_t { by_point, by_tile };

/// One matrix [tiles of a block, channels] per point, in memory owned by the caller. Rows are padded to whole vectors.
template <class F, Order order>
struct Points {
    std::int64_t channels, row_length, tiles;
    float* data = nullptr;

    Points(std::int64_t tiles_in, std::int64_t channels_in)
        : channels(channels_in), row_length(whole_vectors(channels_in)), tiles(tiles_in) {}
    // In Order::by_point the matrices are spaced so that they begin in different cache sets, because a tile writes to
    // all of them at once.
    std::int64_t point_step() const { return order == Order::by_tile ? lanes : tiles * row_length + 16; }
    std::int64_t vector_step() const { return order == Order::by_tile ? points<F> * lanes : lanes; }
    std::int64_t row_step() const { return order == Order::by_tile ? points<F> * row_length : row_length; }
    std::int64_t numbers() const { return points<F> * (tiles * row_length + 16); }
    float* row(std::int64_t tile) const { return data + tile * row_step(); }
    small_products::Matrix<float> matrix(std::int64_t point) const {
        return {data + point * point_step(), row_step(), vector_step()};
    }
};

/// Prefetches those pixels of the next tile, one tile width to the right, that are not part of this tile.
template <class F, int extent>
void ask_for_next(const float* const (&pixels)[extent][extent], std::int64_t c, std::int64_t channels) {
#pragma GCC unroll 8
    for (int i = 0; i < extent; ++i)
#pragma GCC unroll 8
        for (int j = extent - F::tile; j < extent; ++j) __builtin_prefetch(pixels[i][j] + F::tile * channels + c);
}

/// Transforms the `extent` x `extent` pixels of one tile with `once` in both dimensions, and writes the result to the
/// tile's row of each matrix. Pixels outside the image (null pointers) are read as zero.
template <class F, Order order, int extent, class Once>
void spread(const Points<F, order>& to, std::int64_t tile, float* const (&pixels)[extent][extent], const float* zeros,
            const Once& once) {
    const float* from[extent][extent];
    for (int i = 0; i < extent; ++i)
        for (int j = 0; j < extent; ++j) from[i][j] = pixels[i][j] != nullptr ? pixels[i][j] : zeros;
    float* out = to.row(tile);
    for (std::int64_t c = 0; c < to.channels; c += lanes, out += to.vector_step()) {
        Lanes in[extent][extent], made[F::points][F::points];
#pragma GCC unroll 8
        for (int i = 0; i < extent; ++i)
#pragma GCC unroll 8
            for (int j = 0; j < extent; ++j) read(from[i][j], c, to.channels, in[i][j]);
        ask_for_next<F>(from, c, to.channels);
        both_ways(in, made, once);
#pragma GCC unroll 8
        for (int i = 0; i < F::points; ++i)
#pragma GCC unroll 8
            for (int j = 0; j < F::points; ++j)
                vectors::at<lanes>(out + (i * F::points + j) * to.point_step()) = made[i][j];
    }
}

/// The operations applied to a result before it is written.
struct Finish {
    const float* bias = nullptr;
    const float* residual = nullptr;  ///< in the layout of the result
    Activation activation = Activation::none;

    void operator()(Lanes& value, std::int64_t channel, std::int64_t channels, std::int64_t pixel) const {
        Lanes more;
        if (bias != nullptr) {
            read(bias, channel, channels, more);
            value += more;
        }
        if (residual != nullptr) {
            read(residual + pixel, channel, channels, more);
            value += more;
        }
        if (activation == Activation::relu) value = value < 0 ? Lanes{} : value;  // NaN stays NaN
        if (activation == Activation::silu)
            for (std::int64_t i = 0; i < lanes; ++i) value[i] = norm_kernels::activated<Activation::silu>(value[i]);
        if (activation == Activation::gelu)
            for (std::int64_t i = 0; i < lanes; ++i) value[i] = norm_kernels::activated<Activation::gelu>(value[i]);
        if (activation == Activation::relu6)
            for (std::int64_t i = 0; i < lanes; ++i) value[i] = norm_kernels::activated<Activation::relu6>(value[i]);
        if (activation == Activation::hard_swish)
            for (std::int64_t i = 0; i < lanes; ++i)
                value[i] = norm_kernels::activated<Activation::hard_swish>(value[i]);
    }
};

/// Reads the tile's row of each matrix, transforms it to results, and writes those inside the image.
template <class F, Order order>
void collect(const Points<F, order>& from, std::int64_t tile, float* const (&pixels)[F::tile][F::tile],
             const Image& result, const Finish& finish) {
    const float* in = from.row(tile);
    for (std::int64_t c = 0; c < from.channels; c += lanes, in += from.vector_step()) {
        Lanes m[F::points][F::points], y[F::tile][F::tile];
#pragma GCC unroll 8
        for (int i = 0; i < F::points; ++i)
#pragma GCC unroll 8
            for (int j = 0; j < F::points; ++j) m[i][j] = load<lanes>(in + (i * F::points + j) * from.point_step());
        both_ways(m, y, [](const auto& v, auto& r) { F::result(v, r); });
        for (int i = 0; i < F::tile; ++i) {
            for (int j = 0; j < F::tile; ++j) {
                if (pixels[i][j] == nullptr) continue;
                finish(y[i][j], c, result.channels, pixels[i][j] - result.data);
                write(y[i][j], c, result.channels, pixels[i][j]);
            }
        }
    }
}

/// Kernels [K, C, R, R] transformed to the points: one matrix [inputs, outputs] per point, with rows padded to whole
/// vectors. The gradient of a convolution's input is a convolution of the result's gradient with the `turned`
/// kernels (rotated by 180 degrees, with inputs and outputs exchanged), from K channels to C.
struct Kernels {
    std::int64_t inputs, outputs, row_length, input_step, output_step;
    bool turned;

    Kernels(const Tensor& w, bool turned_in) : turned(turned_in) {
        const std::int64_t taps = w.size(2) * w.size(3), to = w.size(0), from = w.size(1);
        inputs = turned ? to : from;
        outputs = turned ? from : to;
        row_length = whole_vectors(outputs);
        input_step = turned ? from * taps : taps;
        output_step = turned ? taps : from * taps;
    }
    /// The distance between the matrices of two consecutive points, chosen so that the matrices begin in different
    /// cache sets.
    std::int64_t stride() const { return inputs * row_length + 16; }
    template <class F>
    onednn::Desc desc() const {
        return {{points<F>, stride()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab};
    }

    /// For every input and every group of up to `lanes` outputs, calls each(offset of the first kernel in the weights,
    /// offset of its element in a point's matrix, number of kernels).
    template <class Each>
    void each_vector(const Each& each) const {
#pragma omp parallel for schedule(static)
        for (std::int64_t o = 0; o < outputs; o += lanes)
            for (std::int64_t i = 0; i < inputs; ++i)
                each(o * output_step + i * input_step, i * row_length + o, std::min(lanes, outputs - o));
    }
    template <class F>
    void transform(const float* w, float* u) const {
        constexpr int taps = F::taps * F::taps;
        each_vector([&](std::int64_t kernel, std::int64_t number, std::int64_t count) {
            Lanes g[F::taps][F::taps] = {}, made[F::points][F::points];
            for (int tap = 0; tap < taps; ++tap)
                for (std::int64_t l = 0; l < count; ++l)
                    g[tap / F::taps][tap % F::taps][l] = w[kernel + l * output_step + (turned ? taps - 1 - tap : tap)];
            both_ways(g, made, [](const auto& v, auto& r) { F::kernel(v, r); });
            for (int p = 0; p < points<F>; ++p)
                vectors::at<lanes>(u + p * stride() + number) = made[p / F::points][p % F::points];
        });
    }
    /// Applies the transpose of transform() to u and writes the result to dw.
    template <class F>
    void gradient(const float* u, float* dw) const {
        constexpr int taps = F::taps * F::taps;
        each_vector([&](std::int64_t kernel, std::int64_t number, std::int64_t count) {
            Lanes m[F::points][F::points], g[F::taps][F::taps];
            for (int p = 0; p < points<F>; ++p)
                m[p / F::points][p % F::points] = load<lanes>(u + p * stride() + number);
            both_ways(m, g, [](const auto& v, auto& r) { F::kernel_gradient(v, r); });
            for (int tap = 0; tap < taps; ++tap)
                for (std::int64_t l = 0; l < count; ++l)
                    dw[kernel + l * output_step + tap] = g[tap / F::taps][tap % F::taps][l];
        });
    }
};

}  // namespace radial::winograd
