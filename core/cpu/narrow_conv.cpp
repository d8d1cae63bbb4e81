// Forward keeps the results of a few pixels in registers and takes a number of each pixel times a vector of weights;
// backward keeps a few of a tap's gradients and takes a vector of a pixel times single numbers of its result's
// gradient.
#include "radial/core/cpu/narrow_conv.h"

#include "radial/core/cpu/conv_shape.h"
#include "radial/core/cpu/vectors.h"

#include <algorithm>

namespace radial {
namespace {

using vectors::add;
using vectors::load;
using vectors::Vector;

constexpr std::int64_t outputs = 12, taps = 9;

bool takes(const Tensor& x, const Tensor& w, const ConvGeometry& g) {
    return is_plain_3x3(w, g) && w.size(0) == outputs && x.size(1) % 4 == 0;
}

struct Problem {
    const float* x;
    std::int64_t channels, in_height, in_width, height, width, pad_h, pad_w;

    Problem(const Tensor& image, const Tensor& result, const ConvGeometry& g)
        : x(image.data<float>()),
          channels(image.size(1)),
          in_height(image.size(2)),
          in_width(image.size(3)),
          height(result.size(2)),
          width(result.size(3)),
          pad_h(g.pad_h),
          pad_w(g.pad_w) {}
    /// Pixel w of a row of the images' that lies inside.
    const float* pixel(std::int64_t n, std::int64_t h, std::int64_t w) const {
        return x + ((n * in_height + h) * in_width + w) * channels;
    }
};

/// Results [pixels, 12] of one row from column w on. `weights` [9, C, 12]; `zeros` is a pixel of them.
template <int pixels>
void results(const Problem& p, std::int64_t n, std::int64_t h, std::int64_t w, const float* weights, const float* zeros,
             float* to) {
    Vector<8> low[pixels] = {};
    Vector<4> high[pixels] = {};
    for (std::int64_t r = 0; r < 3; ++r) {
        const std::int64_t row = h + r - p.pad_h;
        if (row < 0 || row >= p.in_height) continue;
        for (std::int64_t s = 0; s < 3; ++s) {
            const float* from[pixels];
            for (int i = 0; i < pixels; ++i) {
                const std::int64_t column = w + i + s - p.pad_w;
                from[i] = column >= 0 && column < p.in_width ? p.pixel(n, row, column) : zeros;
            }
            const float* tap = weights + (r * 3 + s) * p.channels * outputs;
            for (std::int64_t c = 0; c < p.channels; ++c, tap += outputs) {
                const Vector<8> first = load<8>(tap);
                const Vector<4> second = load<4>(tap + 8);
#pragma GCC unroll 8
                for (int i = 0; i < pixels; ++i) {
                    const float v = from[i][c];
                    const Vector<8> eight = {v, v, v, v, v, v, v, v};
                    low[i] += eight * first;
                    high[i] += __builtin_shufflevector(eight, eight, 0, 1, 2, 3) * second;
                }
            }
        }
    }
    for (int i = 0; i < pixels; ++i) {
        vectors::at<8>(to + i * outputs) = low[i];
        vectors::at<4>(to + i * outputs + 8) = high[i];
    }
}

/// Weights [12, C, 3, 3] as [3, 3, C, 12].
std::vector<float> outputs_last(const Tensor& w) {
    const std::int64_t channels = w.size(1);
    const float* const from = w.data<float>();
    std::vector<float> to(static_cast<std::size_t>(w.numel()));
    for (std::int64_t k = 0; k < outputs; ++k)
        for (std::int64_t c = 0; c < channels; ++c)
            for (std::int64_t tap = 0; tap < taps; ++tap)
                to[static_cast<std::size_t>((tap * channels + c) * outputs + k)] =
                    from[(k * channels + c) * taps + tap];
    return to;
}

/// Which pixels of a strip of rows one tap multiplies.
struct Strip {
    std::int64_t image, first_row, last_row;
};

/// sums[c, k] += x[.., c] * dy[.., k] over the pixels of a strip that tap (r, s) meets, for `count` vectors of channels
/// and `several` of the results' from `first` on. `x` and `dy` begin at the first of those channels and results.
template <int lanes, int count, int several>
void gather(const Problem& p, const Strip& strip, std::int64_t r, std::int64_t s, std::int64_t channel, const float* dy,
            float* sums) {
    const std::int64_t begin = std::max<std::int64_t>(0, p.pad_w - s),
                       end = std::min(p.width, p.in_width + p.pad_w - s);
    Vector<lanes> own[count][several] = {};
    for (std::int64_t h = strip.first_row; h < strip.last_row; ++h) {
        const std::int64_t row = h + r - p.pad_h;
        if (row < 0 || row >= p.in_height || begin >= end) continue;
        const float* x = p.pixel(strip.image, row, begin + s - p.pad_w) + channel;
        const float* up = dy + ((strip.image * p.height + h) * p.width + begin) * outputs;
        for (std::int64_t w = begin; w < end; ++w, x += p.channels, up += outputs) {
#pragma GCC unroll 8
            for (int v = 0; v < count; ++v) {
                const Vector<lanes> pixel = load<lanes>(x + v * lanes);
#pragma GCC unroll 8
                for (int k = 0; k < several; ++k) own[v][k] += pixel * up[k];
            }
        }
    }
    for (int k = 0; k < several; ++k)
        for (int v = 0; v < count; ++v) add<lanes>(sums + k * p.channels + v * lanes, own[v][k]);
}

/// Adds a strip's part to the gradient [3, 3, 12, C].
void add_strip(const Problem& p, const Strip& strip, const float* dy, float* gradient) {
    constexpr int several = 4;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
        const std::int64_t r = tap / 3, s = tap % 3;
        for (std::int64_t k = 0; k < outputs; k += several) {
            float* const sums = gradient + (tap * outputs + k) * p.channels;
            std::int64_t c = 0;
            // Twelve sums and what they are formed from fill the sixteen registers.
            for (; c + 24 <= p.channels; c += 24) gather<8, 3, several>(p, strip, r, s, c, dy + k, sums + c);
            for (; c + 8 <= p.channels; c += 8) gather<8, 1, several>(p, strip, r, s, c, dy + k, sums + c);
            for (; c < p.channels; c += 4) gather<4, 1, several>(p, strip, r, s, c, dy + k, sums + c);
        }
    }
}

}  // namespace

bool narrow_forward(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y) {
    if (!takes(x, w, geometry)) return false;
    const Problem p(x, y, geometry);
    const std::vector<float> packed = outputs_last(w), blank(static_cast<std::size_t>(p.channels));
    const float *const weights = packed.data(), *const zeros = blank.data();
    float* const out = y.data<float>();
#pragma omp parallel for schedule(static)
    for (std::int64_t line = 0; line < x.size(0) * p.height; ++line) {
        const std::int64_t n = line / p.height, h = line % p.height;
        float* const to = out + line * p.width * outputs;
        std::int64_t column = 0;
        for (; column + 6 <= p.width; column += 6) results<6>(p, n, h, column, weights, zeros, to + column * outputs);
        for (; column + 4 <= p.width; column += 4) results<4>(p, n, h, column, weights, zeros, to + column * outputs);
        for (; column + 2 <= p.width; column += 2) results<2>(p, n, h, column, weights, zeros, to + column * outputs);
        for (; column < p.width; ++column) results<1>(p, n, h, column, weights, zeros, to + column * outputs);
    }
    return true;
}

bool narrow_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw) {
    if (!takes(x, dw, geometry)) return false;
    const Problem p(x, dy, geometry);
    constexpr std::int64_t wanted = 64;  // pixels, whose surroundings the first cache holds
    const std::int64_t rows = std::clamp<std::int64_t>(wanted / p.width, 1, p.height);
    const std::int64_t strips = (p.height + rows - 1) / rows, all = x.size(0) * strips, count = dw.numel();
    // A sum for each part, so that the result does not depend on the threads.
    const std::int64_t parts = std::min<std::int64_t>(16, all);
    const Tensor held = Tensor::zeros({parts, count}, DType::float32, Device{});
    float* const partial = held.data<float>();
    const float* const up = dy.data<float>();
#pragma omp parallel for schedule(static)
    for (std::int64_t part = 0; part < parts; ++part) {
        for (std::int64_t s = part * all / parts; s < (part + 1) * all / parts; ++s) {
            const std::int64_t first = s % strips * rows;
            add_strip(p, {s / strips, first, std::min(p.height, first + rows)}, up, partial + part * count);
        }
    }
    float* const out = dw.data<float>();
    for (std::int64_t k = 0; k < outputs; ++k)
        for (std::int64_t c = 0; c < p.channels; ++c)
            for (std::int64_t tap = 0; tap < taps; ++tap) {
                float sum = 0;
                for (std::int64_t part = 0; part < parts; ++part)
                    sum += partial[part * count + (tap * outputs + k) * p.channels + c];
                out[(k * p.channels + c) * taps + tap] = sum;
            }
    return true;
}

}  // namespace radial
