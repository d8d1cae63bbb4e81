// Tiles go through in blocks, each in three steps: the tiles' patches of the image to their points, one matrix product
// a point over the channels, and back to results. What a block forms stays in the last cache. The matrix products are
// oneDNN's, a thread each.
#include "radial/core/cpu/winograd.h"

#include "radial/core/cpu/conv_shape.h"
#include "radial/core/cpu/norm_kernels.h"
#include "radial/core/cpu/packed_weights.h"
#include "radial/core/cpu/winograd_kernels.h"
#include "radial/core/error.h"

#include <algorithm>
#include <atomic>

namespace radial {
namespace {

using vectors::load;
using winograd::both_ways;
using winograd::F2x3;
using winograd::F4x3;
using winograd::Lanes;
using winograd::lanes;

/// A channels-last image.
struct Image {
    float* data;
    std::int64_t images, channels, height, width;

    explicit Image(const Tensor& t)
        : data(t.data<float>()), images(t.size(0)), channels(t.size(1)), height(t.size(2)), width(t.size(3)) {}
    /// A pixel's channels; nullptr for one outside.
    float* pixel(std::int64_t n, std::int64_t h, std::int64_t w) const {
        const bool inside = h >= 0 && h < height && w >= 0 && w < width;
        return inside ? data + ((n * height + h) * width + w) * channels : nullptr;
    }
};

template <class F>
constexpr std::int64_t points = std::int64_t{F::points} * F::points;

template <class F>
std::int64_t tiles_along(std::int64_t extent) {
    return (extent + F::tile - 1) / F::tile;
}

/// The tiles of a result's images, and how many of them a block takes.
template <class F>
struct Tiles {
    std::int64_t down, across, count, block;

    Tiles(const Image& result, std::int64_t channels)
        : down(tiles_along<F>(result.height)),
          across(tiles_along<F>(result.width)),
          count(result.images * down * across) {
        constexpr std::int64_t cache = 1 << 20, least = 64, most = 256;  // numbers; tiles
        block = std::min(count, std::clamp(cache / (points<F> * channels), least, most));
    }
    /// part(first tile, how many) on each block.
    template <class Part>
    void each_block(const Part& part) const {
        for (std::int64_t first = 0; first < count; first += block) part(first, std::min(block, count - first));
    }
    /// Pointers to the pixels of a square at tile t, moved up and left by the padding; nullptr outside the image.
    template <int extent>
    void place(std::int64_t t, const Image& image, std::int64_t pad_h, std::int64_t pad_w,
               float* (&pixels)[extent][extent]) const {
        const std::int64_t n = t / (down * across), row = t / across % down * F::tile - pad_h,
                           column = t % across * F::tile - pad_w;
        for (int i = 0; i < extent; ++i)
            for (int j = 0; j < extent; ++j) pixels[i][j] = image.pixel(n, row + i, column + j);
    }
};

/// One matrix [tiles of a block, channels] a point, from the allocator's cache.
template <class F>
struct Points {
    std::int64_t channels, stride;
    Tensor held;

    // The matrices begin in different sets of the cache, which a tile writes all of at once.
    Points(std::int64_t tiles, std::int64_t channels_in)
        : channels(channels_in),
          stride(tiles * channels_in + 16),
          held(Tensor::empty(Shape{points<F> * stride}, DType::float32, Device{})) {}
    float* row(std::int64_t tile) const { return held.data<float>() + tile * channels; }
    float* matrix(std::int64_t point) const { return held.data<float>() + point * stride; }
};

/// Writes one tile's `extent` x `extent` pixels to its row of each matrix, changed by `once` both ways; zero outside.
template <class F, int extent, class Once>
void spread(const Points<F>& to, std::int64_t tile, float* const (&pixels)[extent][extent], const float* zeros,
            const Once& once) {
    const float* from[extent][extent];
    for (int i = 0; i < extent; ++i)
        for (int j = 0; j < extent; ++j) from[i][j] = pixels[i][j] != nullptr ? pixels[i][j] : zeros;
    float* const out = to.row(tile);
    for (std::int64_t c = 0; c < to.channels; c += lanes) {
        Lanes in[extent][extent], made[F::points][F::points];
#pragma GCC unroll 8
        for (int i = 0; i < extent; ++i)
#pragma GCC unroll 8
            for (int j = 0; j < extent; ++j) in[i][j] = load<lanes>(from[i][j] + c);
        both_ways(in, made, once);
#pragma GCC unroll 8
        for (int i = 0; i < F::points; ++i)
#pragma GCC unroll 8
            for (int j = 0; j < F::points; ++j)
                vectors::at<lanes>(out + (i * F::points + j) * to.stride + c) = made[i][j];
    }
}

/// Writes tile t's patch of the image to row `row` of each matrix, at its points.
template <class F>
void spread_patch(const Points<F>& to, std::int64_t row, const Tiles<F>& tiles, std::int64_t t, const Image& image,
                  std::int64_t pad_h, std::int64_t pad_w, const float* zeros) {
    float* pixels[F::points][F::points];
    tiles.place(t, image, pad_h, pad_w, pixels);
    spread(to, row, pixels, zeros, [](const auto& v, auto& r) { F::image(v, r); });
}

/// What is done to a result before it is written.
struct Finish {
    const float* bias = nullptr;
    const float* residual = nullptr;  ///< as the result lies
    Activation activation = Activation::none;

    void operator()(Lanes& value, std::int64_t channel, std::int64_t element) const {
        if (bias != nullptr) value += load<lanes>(bias + channel);
        if (residual != nullptr) value += load<lanes>(residual + element);
        if (activation == Activation::relu) value = value < 0 ? Lanes{} : value;  // a NaN stays one
        if (activation == Activation::silu)
            for (std::int64_t i = 0; i < lanes; ++i) value[i] = norm_kernels::activated<Activation::silu>(value[i]);
    }
};

/// Reads one tile's row of each matrix and writes its results, those inside the image.
template <class F>
void collect(const Points<F>& from, std::int64_t tile, float* const (&pixels)[F::tile][F::tile], const Image& result,
             const Finish& finish) {
    const float* const in = from.row(tile);
    for (std::int64_t c = 0; c < from.channels; c += lanes) {
        Lanes m[F::points][F::points], y[F::tile][F::tile];
#pragma GCC unroll 8
        for (int i = 0; i < F::points; ++i)
#pragma GCC unroll 8
            for (int j = 0; j < F::points; ++j) m[i][j] = load<lanes>(in + (i * F::points + j) * from.stride + c);
        both_ways(m, y, [](const auto& v, auto& r) { F::result(v, r); });
        for (int i = 0; i < F::tile; ++i) {
            for (int j = 0; j < F::tile; ++j) {
                if (pixels[i][j] == nullptr) continue;
                finish(y[i][j], c, pixels[i][j] + c - result.data);
                vectors::at<lanes>(pixels[i][j] + c) = y[i][j];
            }
        }
    }
}

/// Kernels [K, C, 3, 3] at their points, one matrix [inputs, outputs] each. The gradient of a convolution's input is
/// the convolution of its result's gradient by the kernels turned around, from K channels to C.
struct Kernels {
    std::int64_t inputs, outputs, input_step, output_step;
    bool turned;

    Kernels(const Tensor& w, bool turned_in) : turned(turned_in) {
        const std::int64_t taps = w.size(2) * w.size(3), to = w.size(0), from = w.size(1);
        inputs = turned ? to : from;
        outputs = turned ? from : to;
        input_step = turned ? from * taps : taps;
        output_step = turned ? taps : from * taps;
    }
    /// From one point's matrix to the next, which begins in another set of the cache.
    std::int64_t stride() const { return inputs * outputs + 16; }
    template <class F>
    onednn::Desc desc() const {
        return {{points<F>, stride()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab};
    }

    /// each(offset of a kernel in the weights, and of its number in a point's matrix) for the first of every `lanes`
    /// outputs.
    template <class Each>
    void each_vector(const Each& each) const {
#pragma omp parallel for schedule(static)
        for (std::int64_t o = 0; o < outputs; o += lanes)
            for (std::int64_t i = 0; i < inputs; ++i) each(o * output_step + i * input_step, i * outputs + o);
    }
    template <class F>
    void transform(const float* w, float* u) const {
        constexpr int taps = F::taps * F::taps;
        each_vector([&](std::int64_t kernel, std::int64_t number) {
            Lanes g[F::taps][F::taps], made[F::points][F::points];
            for (int tap = 0; tap < taps; ++tap)
                for (std::int64_t l = 0; l < lanes; ++l)
                    g[tap / F::taps][tap % F::taps][l] = w[kernel + l * output_step + (turned ? taps - 1 - tap : tap)];
            both_ways(g, made, [](const auto& v, auto& r) { F::kernel(v, r); });
            for (int p = 0; p < points<F>; ++p)
                vectors::at<lanes>(u + p * stride() + number) = made[p / F::points][p % F::points];
        });
    }
    /// The transpose of transform(), to dw.
    template <class F>
    void gradient(const float* u, float* dw) const {
        constexpr int taps = F::taps * F::taps;
        each_vector([&](std::int64_t kernel, std::int64_t number) {
            Lanes m[F::points][F::points], g[F::taps][F::taps];
            for (int p = 0; p < points<F>; ++p)
                m[p / F::points][p % F::points] = load<lanes>(u + p * stride() + number);
            both_ways(m, g, [](const auto& v, auto& r) { F::kernel_gradient(v, r); });
            for (int tap = 0; tap < taps; ++tap)
                for (std::int64_t l = 0; l < lanes; ++l)
                    dw[kernel + l * output_step + tap] = g[tap / F::taps][tap % F::taps][l];
        });
    }
};

void check(int status) { RADIAL_CHECK(status == 0, "conv2d: oneDNN's product failed (status {})", status); }

template <class F>
void convolve(const Image& x, const Kernels& kernels, const Tensor& transformed, std::int64_t pad_h, std::int64_t pad_w,
              const Image& y, const Finish& finish) {
    const Tiles<F> tiles(y, x.channels + y.channels);
    const Points<F> in(tiles.block, x.channels), out(tiles.block, y.channels);
    const std::vector<float> zeros(static_cast<std::size_t>(x.channels));
    const auto* const u = reinterpret_cast<const float*>(transformed.raw());
    std::atomic<int> failed{0};
#pragma omp parallel
    tiles.each_block([&](std::int64_t first, std::int64_t count) {
#pragma omp for schedule(static)
        for (std::int64_t t = 0; t < count; ++t) spread_patch(in, t, tiles, first + t, x, pad_h, pad_w, zeros.data());
#pragma omp for schedule(static)
        for (std::int64_t p = 0; p < points<F>; ++p) {
            const auto status = dnnl::sgemm('N', 'N', count, y.channels, x.channels, 1, in.matrix(p), x.channels,
                                            u + p * kernels.stride(), y.channels, 0, out.matrix(p), y.channels);
            if (status != dnnl::status::success) failed = static_cast<int>(status);
        }
        // The next block's first step writes what this one does not read.
#pragma omp for schedule(static) nowait
        for (std::int64_t t = 0; t < count; ++t) {
            float* pixels[F::tile][F::tile];
            tiles.place(first + t, y, 0, 0, pixels);
            collect(out, t, pixels, y, finish);
        }
    });
    check(failed);
}

template <class F>
void convolve_backward(const Image& x, const Image& dy, std::int64_t pad_h, std::int64_t pad_w, const Kernels& kernels,
                       float* dw) {
    const Tiles<F> tiles(dy, x.channels + dy.channels);
    const Points<F> in(tiles.block, x.channels), up(tiles.block, dy.channels);
    const std::vector<float> zeros(static_cast<std::size_t>(std::max(x.channels, dy.channels)));
    const Tensor held = onednn::buffer_for(kernels.desc<F>());
    auto* const u = reinterpret_cast<float*>(held.raw());
    std::atomic<int> failed{0};
#pragma omp parallel
    tiles.each_block([&](std::int64_t first, std::int64_t count) {
#pragma omp for schedule(static)
        for (std::int64_t t = 0; t < count; ++t) {
            spread_patch(in, t, tiles, first + t, x, pad_h, pad_w, zeros.data());
            float* results[F::tile][F::tile];
            tiles.place(first + t, dy, 0, 0, results);
            spread(up, t, results, zeros.data(), [](const auto& v, auto& r) { F::result_gradient(v, r); });
        }
#pragma omp for schedule(static)
        for (std::int64_t p = 0; p < points<F>; ++p) {
            const float beta = first == 0 ? 0.0F : 1.0F;
            const auto status = dnnl::sgemm('T', 'N', x.channels, dy.channels, count, 1, in.matrix(p), x.channels,
                                            up.matrix(p), dy.channels, beta, u + p * kernels.stride(), dy.channels);
            if (status != dnnl::status::success) failed = static_cast<int>(status);
        }
    });
    check(failed);
    kernels.gradient<F>(u, dw);
}

/// Products that F takes for an image of a channel, over those of a direct convolution.
template <class F>
double share_of_products(std::int64_t height, std::int64_t width) {
    return static_cast<double>(points<F> * tiles_along<F>(height) * tiles_along<F>(width)) /
           static_cast<double>(F::taps * F::taps * height * width);
}

/// f(F) with the F to use for a convolution of `inputs` channels to `result` [N, K, H, W]. False, without a call, where
/// none pays: where the tiles' overlap over the image leaves too little of the gain, or where so few tiles do not pay
/// for kernels that are up to four times as many numbers.
template <class Call>
bool with_tiles(const Tensor& result, std::int64_t inputs, const Tensor& w, const ConvGeometry& g, const Call& f) {
    constexpr std::int64_t least_channels = 32, least_tiles = 48;
    constexpr double most = 2.0 / 3;
    const std::int64_t outputs = result.size(1), height = result.size(2), width = result.size(3);
    if (!is_plain_3x3(w, g) || g.pad_h > 2 || g.pad_w > 2 || inputs % lanes != 0 || outputs % lanes != 0 ||
        std::min(inputs, outputs) < least_channels)
        return false;
    const auto call = [&]<class F>(F chosen) {
        const std::int64_t tiles = result.size(0) * tiles_along<F>(height) * tiles_along<F>(width);
        if (tiles < least_tiles || share_of_products<F>(height, width) > most) return false;
        f(chosen);
        return true;
    };
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
        convolve<F>(Image(x), kernels, u, geometry.pad_h, geometry.pad_w, Image(y), finish);
    });
}

bool winograd_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) {
    return with_tiles(dx, dy.size(1), w, geometry, [&]<class F>(F) {
        const Kernels kernels(w, true);
        const Tensor u = onednn::buffer_for(kernels.desc<F>());
        kernels.transform<F>(w.data<float>(), reinterpret_cast<float*>(u.raw()));
        convolve<F>(Image(dy), kernels, u, F::taps - 1 - geometry.pad_h, F::taps - 1 - geometry.pad_w, Image(dx), {});
    });
}

bool winograd_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw) {
    return with_tiles(dy, x.size(1), dw, geometry, [&]<class F>(F) {
        convolve_backward<F>(Image(x), Image(dy), geometry.pad_h, geometry.pad_w, Kernels(dw, false), dw.data<float>());
    });
}

}  // namespace radial
