// Convolutions by Winograd's method. Tiles are processed in blocks, in three steps: transform the image patches of the
// tiles to Winograd's points, compute one matrix product over the channels per point, and transform back to results.
// With few channels, each thread processes its own blocks, which are small enough for its cache, with our own matrix
// products. Otherwise all threads work on one block after another, which stays in the last-level cache, with oneDNN's
// products, one per thread.
#include "radial/core/backend/cpu/winograd.h"

#include "radial/core/backend/backend.h"
#include "radial/core/backend/cpu/small_products.h"
#include "radial/core/backend/cpu/winograd_kernels.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <atomic>

namespace radial {
namespace {

/// Whether weights [K, C, R, S] with this geometry are square, ungrouped, undilated and of stride 1.
inline bool is_plain(const Tensor& w, const ConvGeometry& g) {
    return w.size(2) == w.size(3) && g.stride_h == 1 && g.stride_w == 1 && g.dilation_h == 1 && g.dilation_w == 1 &&
           g.groups == 1;
}

using winograd::F2x3;
using winograd::F2x5;
using winograd::F4x3;
using winograd::Finish;
using winograd::Image;
using winograd::Kernels;
using winograd::lanes;
using winograd::Order;
using winograd::points;
using winograd::Points;
using winograd::quad;
using winograd::Tiles;
using winograd::tiles_along;
using winograd::whole_vectors;

/// A range of consecutive tiles.
struct Block {
    std::int64_t first, count;
};

/// A convolution from x to y, or a gradient with the same shapes: its tiles, and how they are processed.
template <class F>
struct Convolution {
    Image x, y;
    std::int64_t pad_h, pad_w;
    Tiles<F> tiles;
    bool apart = false;                       ///< whether each thread processes its own blocks
    std::int64_t block_size = 0, blocks = 0;  ///< tiles per block (the last may have fewer); number of blocks
    std::vector<float> zeros;

    Convolution(const Tensor& from, const Tensor& to, std::int64_t pad_h_in, std::int64_t pad_w_in)
        : x(from),
          y(to),
          pad_h(pad_h_in),
          pad_w(pad_w_in),
          tiles(y),
          zeros(static_cast<std::size_t>(std::max(x.channels, y.channels))) {
        constexpr std::int64_t own_cache = 100 * 1024, shared_cache = 1 << 20;  // in floats
        constexpr std::int64_t rows = 12;                                       // a multiple of the products' tiles
        const std::int64_t kernels = points<F> * x.channels * whole_vectors(y.channels);
        const std::int64_t tile = points<F> * (whole_vectors(x.channels) + whole_vectors(y.channels));
        apart = kernels <= own_cache * 2 / 5;
        const std::int64_t wanted = apart ? std::max(rows, (own_cache - kernels) / tile / rows * rows)
                                          : std::clamp<std::int64_t>(shared_cache / tile, 64, 256);
        block_size = std::min(tiles.count, wanted);
        blocks = (tiles.count + block_size - 1) / block_size;
    }

    Block block(std::int64_t index) const {
        const std::int64_t first = index * block_size;
        return {first, std::min(block_size, tiles.count - first)};
    }
    template <Order order>
    void image_to_points(const Points<F, order>& to, std::int64_t row, std::int64_t tile) const {
        float* pixels[F::points][F::points];
        tiles.place(tile, x, pad_h, pad_w, pixels);
        spread(to, row, pixels, zeros.data(), [](const auto& v, auto& r) { F::image(v, r); });
    }
    /// Transforms a tile of the gradient of y to the points.
    template <Order order>
    void results_to_points(const Points<F, order>& to, std::int64_t row, std::int64_t tile) const {
        float* pixels[F::tile][F::tile];
        tiles.place(tile, y, 0, 0, pixels);
        spread(to, row, pixels, zeros.data(), [](const auto& v, auto& r) { F::result_gradient(v, r); });
    }
    template <Order order>
    void points_to_results(const Points<F, order>& from, std::int64_t row, std::int64_t tile,
                           const Finish& finish) const {
        float* pixels[F::tile][F::tile];
        tiles.place(tile, y, 0, 0, pixels);
        collect(from, row, pixels, y, finish);
    }
};

void check(int status) { RADIAL_CHECK(status == 0, "conv2d: oneDNN's product failed (status {})", status); }

Tensor numbers(std::int64_t count) { return Tensor::empty(Shape{count}, DType::float32, Device{}); }

/// Convolves with all threads working on one block after another.
template <class F>
void convolve_together(const Convolution<F>& c, const Kernels& kernels, const float* u, const Finish& finish) {
    Points<F, Order::by_point> in(c.block_size, c.x.channels), out(c.block_size, c.y.channels);
    const Tensor held = numbers(in.numbers() + out.numbers());
    in.data = held.data<float>();
    out.data = in.data + in.numbers();
    std::atomic<int> failed{0};
#pragma omp parallel
    for (std::int64_t b = 0; b < c.blocks; ++b) {
        const Block block = c.block(b);
#pragma omp for schedule(static)
        for (std::int64_t t = 0; t < block.count; ++t) c.image_to_points(in, t, block.first + t);
#pragma omp for schedule(static)
        for (std::int64_t p = 0; p < points<F>; ++p) {
            const auto status =
                dnnl::sgemm('N', 'N', block.count, out.row_length, c.x.channels, 1, in.matrix(p).data, in.row_length,
                            u + p * kernels.stride(), out.row_length, 0, out.matrix(p).data, out.row_length);
            if (status != dnnl::status::success) failed = static_cast<int>(status);
        }
        // No barrier is needed: the first step of the next block does not write what this loop reads.
#pragma omp for schedule(static) nowait
        for (std::int64_t t = 0; t < block.count; ++t) c.points_to_results(out, t, block.first + t, finish);
    }
    check(failed);
}

/// Calls body(index, first, second) for each index below `count`. The points `first` and `second` are private to each
/// thread.
template <class First, class Second, class Body>
void with_own_points(const First& first, const Second& second, std::int64_t count, const Body& body) {
    const std::int64_t each = first.numbers() + second.numbers();
    const Tensor held = numbers(num_threads() * each);
    std::atomic<std::int64_t> taken{0};
#pragma omp parallel
    {
        First own_first = first;
        Second own_second = second;
        own_first.data = held.data<float>() + taken++ * each;
        own_second.data = own_first.data + first.numbers();
#pragma omp for schedule(dynamic)
        for (std::int64_t i = 0; i < count; ++i) body(i, own_first, own_second);
    }
}

/// Convolves with each thread working on its own blocks.
template <class F>
void convolve_apart(const Convolution<F>& c, const Kernels& kernels, const float* u, const Finish& finish) {
    using OwnPoints = Points<F, Order::by_tile>;
    const auto convolve_block = [&](std::int64_t b, const OwnPoints& in, const OwnPoints& out) {
        const Block block = c.block(b);
        for (std::int64_t t = 0; t < block.count; ++t) c.image_to_points(in, t, block.first + t);
        for (std::int64_t p = 0; p < points<F>; ++p)
            small_products::multiply(block.count, out.row_length, c.x.channels, in.matrix(p),
                                     {u + p * kernels.stride(), out.row_length}, out.matrix(p));
        for (std::int64_t t = 0; t < block.count; ++t) c.points_to_results(out, t, block.first + t, finish);
    };
    with_own_points(OwnPoints(c.block_size, c.x.channels), OwnPoints(c.block_size, c.y.channels), c.blocks,
                    convolve_block);
}

template <class F>
void convolve(const Convolution<F>& c, const Kernels& kernels, const Tensor& transformed, const Finish& finish) {
    const auto* const u = reinterpret_cast<const float*>(transformed.raw());
    if (c.apart)
        convolve_apart(c, kernels, u, finish);
    else
        convolve_together(c, kernels, u, finish);
}

/// Writes the gradient of the kernels, at the points, to u.
template <class F>
void gather_together(const Convolution<F>& c, const Kernels& kernels, float* u) {
    Points<F, Order::by_point> in(c.block_size, c.x.channels), up(c.block_size, c.y.channels);
    const Tensor held = numbers(in.numbers() + up.numbers());
    in.data = held.data<float>();
    up.data = in.data + in.numbers();
    std::atomic<int> failed{0};
#pragma omp parallel
    for (std::int64_t b = 0; b < c.blocks; ++b) {
        const Block block = c.block(b);
#pragma omp for schedule(static)
        for (std::int64_t t = 0; t < block.count; ++t) {
            c.image_to_points(in, t, block.first + t);
            c.results_to_points(up, t, block.first + t);
        }
#pragma omp for schedule(static)
        for (std::int64_t p = 0; p < points<F>; ++p) {
            const float beta = b == 0 ? 0.0F : 1.0F;
            const auto status =
                dnnl::sgemm('T', 'N', c.x.channels, up.row_length, block.count, 1, in.matrix(p).data, in.row_length,
                            up.matrix(p).data, up.row_length, beta, u + p * kernels.stride(), up.row_length);
            if (status != dnnl::status::success) failed = static_cast<int>(status);
        }
    }
    check(failed);
}

/// Like gather_together(), but with each thread working on its own blocks, and for `turned` kernels, whose rows are
/// vectors of x's channels.
template <class F>
void gather_apart(const Convolution<F>& c, const Kernels& turned, float* u) {
    using In = Points<F, Order::by_tile>;
    using Up = Points<F, Order::by_point>;
    // One sum per part, so that the result does not depend on the number of threads.
    const std::int64_t parts = std::min<std::int64_t>(16, c.blocks), size = points<F> * turned.stride();
    const Tensor sums = numbers(parts * size);
    const auto gather_part = [&](std::int64_t part, const In& in, const Up& up) {
        float* const sum = sums.data<float>() + part * size;
        std::fill_n(sum, size, 0.0F);
        for (std::int64_t b = part * c.blocks / parts; b < (part + 1) * c.blocks / parts; ++b) {
            const Block block = c.block(b);
            for (std::int64_t t = 0; t < block.count; ++t) {
                c.image_to_points(in, t, block.first + t);
                c.results_to_points(up, t, block.first + t);
            }
            for (std::int64_t p = 0; p < points<F>; ++p)
                small_products::add_transposed(c.y.channels, in.row_length, block.count, up.matrix(p), in.matrix(p),
                                               {sum + p * turned.stride(), in.row_length});
        }
    };
    with_own_points(In(c.block_size, c.x.channels), Up(c.block_size, c.y.channels), parts, gather_part);
    const float* const from = sums.data<float>();
#pragma omp parallel for simd schedule(static)
    for (std::int64_t i = 0; i < size; ++i) {
        float total = 0;
        for (std::int64_t part = 0; part < parts; ++part) total += from[part * size + i];
        u[i] = total;
    }
}

/// The number of multiplications with F for one channel of an image, relative to that of a direct convolution.
template <class F>
double share_of_products(std::int64_t height, std::int64_t width) {
    return static_cast<double>(points<F> * tiles_along<F>(height) * tiles_along<F>(width)) /
           static_cast<double>(F::taps * F::taps * height * width);
}

/// Calls f(F) with the best F for a convolution from `inputs` channels to `result` [N, K, H, W]. Returns false without
/// a call if the convolution is not supported or not worthwhile: if there are few channels, if tiles overlap the image
/// border so much that little is gained, or if there are too few tiles to pay for transformed kernels that are up to
/// four times as large.
template <class Call>
bool with_tiles(const Tensor& result, std::int64_t inputs, const Tensor& w, const ConvGeometry& g, const Call& f) {
    constexpr std::int64_t least_channels = 12, least_tiles = 48;
    constexpr double most = 2.0 / 3;
    const std::int64_t outputs = result.size(1), height = result.size(2), width = result.size(3);
    const std::int64_t taps = w.size(2);
    if (!is_plain(w, g) || g.pad_h >= taps || g.pad_w >= taps || inputs % quad != 0 || outputs % quad != 0 ||
        std::min(inputs, outputs) < least_channels)
        return false;
    const auto call = [&]<class F>(F chosen) {
        const std::int64_t tiles = result.size(0) * tiles_along<F>(height) * tiles_along<F>(width);
        if (tiles < least_tiles || share_of_products<F>(height, width) > most) return false;
        f(chosen);
        return true;
    };
    if (taps == 5) return call(F2x5{});
    if (taps != 3) return false;
    const bool large = share_of_products<F4x3>(height, width) <= share_of_products<F2x3>(height, width);
    return large ? call(F4x3{}) : call(F2x3{});
}

}  // namespace

bool winograd_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                      const Tensor& residual, Activation activation, const Tensor& y) {
    return with_tiles(y, x.size(1), w, geometry, [&]<class F>(F) {
        const Kernels kernels(w, false);
        const Tensor u = onednn::packed_copy(w, kernels.desc<F>(), [&](const Tensor& to) {
            kernels.transform<F>(w.data<float>(), reinterpret_cast<float*>(to.raw()));
        });
        const Finish finish{bias.defined() ? bias.data<float>() : nullptr,
                            residual.defined() ? residual.data<float>() : nullptr, activation};
        convolve(Convolution<F>(x, y, geometry.pad_h, geometry.pad_w), kernels, u, finish);
    });
}

bool winograd_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) {
    return with_tiles(dx, dy.size(1), w, geometry, [&]<class F>(F) {
        const Kernels kernels(w, true);
        const Tensor u = onednn::buffer_for(kernels.desc<F>());
        kernels.transform<F>(w.data<float>(), reinterpret_cast<float*>(u.raw()));
        convolve(Convolution<F>(dy, dx, F::taps - 1 - geometry.pad_h, F::taps - 1 - geometry.pad_w), kernels, u, {});
    });
}

bool winograd_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw) {
    return with_tiles(dy, x.size(1), dw, geometry, [&]<class F>(F) {
        const Convolution<F> c(x, dy, geometry.pad_h, geometry.pad_w);
        const Kernels kernels(dw, c.apart);
        const Tensor held = onednn::buffer_for(kernels.desc<F>());
        auto* const u = reinterpret_cast<float*>(held.raw());
        if (c.apart)
            gather_apart(c, kernels, u);
        else
            gather_together(c, kernels, u);
        kernels.gradient<F>(u, dw.data<float>());
    });
}

}  // namespace radial
