// Pooling of channels-last images. Adjacent lanes process adjacent channels, `V` channels each. Each element of a
// result is written by one lane, so that results do not depend on the order of lanes.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

namespace radial::kernels {

/// The quotient of two non-negative numbers. Uses 32-bit division if possible, which is faster on a device.
RADIAL_HD inline std::int64_t quotient(std::int64_t a, std::int64_t b) {
    if (((a | b) >> 32) != 0) return a / b;
    return static_cast<std::int64_t>(static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b));
}

/// A range of positions along one dimension: [begin, end).
struct Span {
    std::int64_t begin, end;
    RADIAL_HD std::int64_t length() const { return end - begin; }
};

/// The `count` windows along one dimension of `extent` pixels.
struct Windows {
    std::int64_t window, stride, pad, extent, count;

    /// The position at which window i begins. It may be in the padding.
    RADIAL_HD std::int64_t origin(std::int64_t i) const { return i * stride - pad; }
    /// The pixels of window i.
    RADIAL_HD Span pixels(std::int64_t i) const {
        const std::int64_t first = origin(i), last = first + window;
        return {first > 0 ? first : 0, last < extent ? last : extent};
    }
    /// The windows that contain a pixel.
    RADIAL_HD Span holding(std::int64_t pixel) const {
        const std::int64_t past = pixel + pad, last = quotient(past, stride) + 1;
        return {past < window ? 0 : quotient(past - window, stride) + 1, last < count ? last : count};
    }
};

/// Pooling of [N, H, W, packs * V] to [N, OH, OW, packs * V].
struct Pooling {
    Windows rows, columns;
    std::int64_t packs;

    Pooling(const PoolGeometry& g, const Tensor& x, const Tensor& y, int width)
        : rows{g.window_h, g.stride_h, g.pad_h, x.size(2), y.size(2)},
          columns{g.window_w, g.stride_w, g.pad_w, x.size(3), y.size(3)},
          packs(x.size(1) / width) {}

    /// A pixel of x or y, as image, row and column.
    struct Place {
        std::int64_t image, row, column;
    };
    RADIAL_HD static Place place(std::int64_t at, std::int64_t height, std::int64_t width) {
        const std::int64_t line = quotient(at, width), image = quotient(line, height);
        return {image, line - image * height, at - line * width};
    }
    RADIAL_HD std::int64_t of_x(std::int64_t image, std::int64_t h, std::int64_t w, std::int64_t pack) const {
        return ((image * rows.extent + h) * columns.extent + w) * packs + pack;
    }
    RADIAL_HD std::int64_t of_y(std::int64_t image, std::int64_t i, std::int64_t j, std::int64_t pack) const {
        return ((image * rows.count + i) * columns.count + j) * packs + pack;
    }
    /// The index of pixel (h, w) within window (i, j).
    RADIAL_HD std::int64_t tap(std::int64_t i, std::int64_t j, std::int64_t h, std::int64_t w) const {
        return (h - rows.origin(i)) * columns.window + w - columns.origin(j);
    }
};

/// Computes one pixel of y: the maximum of its window and the index of the maximal tap. NaN counts as larger than every
/// number; the first of equal taps is chosen.
template <class T, class Tap, int V>
struct MaxPool {
    const Pack<T, V>* x;
    Pack<T, V>* y;
    Pack<Tap, V>* taps;  // null if no gradient is needed
    Pooling p;

    RADIAL_HD void operator()(std::int64_t position, std::int64_t pack) const {
        using C = Compute<T>;
        const Pooling::Place at = Pooling::place(position, p.rows.count, p.columns.count);
        const Span rows = p.rows.pixels(at.row), columns = p.columns.pixels(at.column);
        Pack<C, V> best;
        Pack<Tap, V> won;
        for (int v = 0; v < V; ++v) {
            best.value[v] = -infinity<C>;
            won.value[v] = static_cast<Tap>(p.tap(at.row, at.column, rows.begin, columns.begin));
        }
        for (std::int64_t h = rows.begin; h < rows.end; ++h) {
            for (std::int64_t w = columns.begin; w < columns.end; ++w) {
                const Pack<T, V> in = x[p.of_x(at.image, h, w, pack)];
                const Tap tap = static_cast<Tap>(p.tap(at.row, at.column, h, w));
                for (int v = 0; v < V; ++v) {
                    const C value = convert<C>(in.value[v]), old = best.value[v];
                    const Tap old_tap = won.value[v];
                    const bool wins = value > old || (value != value && old == old);
                    best.value[v] = wins ? value : old;
                    won.value[v] = wins ? tap : old_tap;
                }
            }
        }
        Pack<T, V> result;
        for (int v = 0; v < V; ++v) result.value[v] = convert<T>(best.value[v]);
        const std::int64_t to = position * p.packs + pack;
        y[to] = result;
        if (taps != nullptr) taps[to] = won;
    }
};

/// Computes one pixel of dx: the sum of dy over the windows in which it is the maximum.
template <class T, class Tap, int V>
struct MaxPoolGradient {
    const Pack<T, V>* dy;
    const Pack<Tap, V>* taps;
    Pack<T, V>* dx;
    Pooling p;

    RADIAL_HD void operator()(std::int64_t position, std::int64_t pack) const {
        using C = Compute<T>;
        const Pooling::Place at = Pooling::place(position, p.rows.extent, p.columns.extent);
        const Span rows = p.rows.holding(at.row), columns = p.columns.holding(at.column);
        Pack<C, V> total{};
        for (std::int64_t i = rows.begin; i < rows.end; ++i) {
            for (std::int64_t j = columns.begin; j < columns.end; ++j) {
                const std::int64_t from = p.of_y(at.image, i, j, pack);
                const Pack<T, V> grad = dy[from];
                const Pack<Tap, V> won = taps[from];
                const Tap tap = static_cast<Tap>(p.tap(i, j, at.row, at.column));
                for (int v = 0; v < V; ++v) {
                    const C part = convert<C>(grad.value[v]);
                    total.value[v] += won.value[v] == tap ? part : C{0};
                }
            }
        }
        Pack<T, V> result;
        for (int v = 0; v < V; ++v) result.value[v] = convert<T>(total.value[v]);
        dx[position * p.packs + pack] = result;
    }
};

/// Computes one pixel of y: the mean of the pixels in its window, accumulated in double.
template <class T, int V>
struct AveragePool {
    const Pack<T, V>* x;
    Pack<T, V>* y;
    Pooling p;

    RADIAL_HD void operator()(std::int64_t position, std::int64_t pack) const {
        const Pooling::Place at = Pooling::place(position, p.rows.count, p.columns.count);
        const Span rows = p.rows.pixels(at.row), columns = p.columns.pixels(at.column);
        Pack<double, V> total{};
        for (std::int64_t h = rows.begin; h < rows.end; ++h) {
            for (std::int64_t w = columns.begin; w < columns.end; ++w) {
                const Pack<T, V> in = x[p.of_x(at.image, h, w, pack)];
                for (int v = 0; v < V; ++v) total.value[v] += static_cast<double>(in.value[v]);
            }
        }
        const double count = static_cast<double>(rows.length() * columns.length());
        Pack<T, V> result;
        for (int v = 0; v < V; ++v) result.value[v] = static_cast<T>(total.value[v] / count);
        y[position * p.packs + pack] = result;
    }
};

/// Computes one pixel of dx: the sum of its shares of dy over the windows that contain it.
template <class T, int V>
struct AveragePoolGradient {
    const Pack<T, V>* dy;
    Pack<T, V>* dx;
    Pooling p;

    RADIAL_HD void operator()(std::int64_t position, std::int64_t pack) const {
        const Pooling::Place at = Pooling::place(position, p.rows.extent, p.columns.extent);
        const Span rows = p.rows.holding(at.row), columns = p.columns.holding(at.column);
        Pack<double, V> total{};
        for (std::int64_t i = rows.begin; i < rows.end; ++i) {
            const std::int64_t height = p.rows.pixels(i).length();
            for (std::int64_t j = columns.begin; j < columns.end; ++j) {
                const double share = 1.0 / static_cast<double>(height * p.columns.pixels(j).length());
                const Pack<T, V> grad = dy[p.of_y(at.image, i, j, pack)];
                for (int v = 0; v < V; ++v) total.value[v] += share * static_cast<double>(grad.value[v]);
            }
        }
        Pack<T, V> result;
        for (int v = 0; v < V; ++v) result.value[v] = static_cast<T>(total.value[v]);
        dx[position * p.packs + pack] = result;
    }
};

// ---- over the whole plane ----

/// The mean of plane `row` of [N, C, H, W] in either layout, where `row` counts the channels of all images.
template <class T>
struct PlaneMean {
    const T* x;
    T* y;
    std::int64_t channels, plane, channel_stride, pixel_stride;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t image = quotient(row, channels), channel = row - image * channels;
        const T* const start = x + image * channels * plane + channel * channel_stride;
        const std::int64_t stride = pixel_stride;
        const double total = team.sum(plane, [&](std::int64_t i) { return static_cast<double>(start[i * stride]); });
        T* const to = y + row;
        const double mean = total / static_cast<double>(plane);
        team.once([&] { *to = static_cast<T>(mean); });
    }
};

/// The means of `width` adjacent channels of an image of [N, plane, C], for the vector units of the host.
template <class T>
struct PlaneMeans {
    static constexpr std::int64_t width = 64;
    const T* x;
    T* y;
    std::int64_t channels, plane, blocks;  ///< number of blocks of `width` channels; the last may be narrower
    void operator()(std::int64_t row) const {
        const std::int64_t image = row / blocks, first = row % blocks * width;
        const std::int64_t count = std::min(width, channels - first);
        double sums[width] = {};
        for (std::int64_t p = 0; p < plane; ++p) {
            const T* const from = x + (image * plane + p) * channels + first;
#pragma omp simd
            for (std::int64_t c = 0; c < count; ++c) sums[c] += static_cast<double>(from[c]);
        }
        for (std::int64_t c = 0; c < count; ++c)
            y[image * channels + first + c] = static_cast<T>(sums[c] / static_cast<double>(plane));
    }
};

/// Reads pixel `pixel` of the images [N, plane, C] for reduce_columns(), where `row` counts the channels of all images.
template <class T>
struct PlanePixel {
    const T* x;
    std::int64_t channels, plane;
    RADIAL_HD Compute<T> operator()(std::int64_t pixel, std::int64_t row) const {
        const std::int64_t image = quotient(row, channels), channel = row - image * channels;
        return convert<Compute<T>>(x[(image * plane + pixel) * channels + channel]);
    }
};
template <class T>
struct StorePlaneMean {
    T* y;
    std::int64_t plane;
    RADIAL_HD void operator()(std::int64_t row, double total) const {
        y[row] = static_cast<T>(total / static_cast<double>(plane));
    }
};

/// The gradient of the mean over a plane, for channels-last images: every pixel gets an equal share.
template <class T>
struct SpreadPixels {
    const T* dy;
    T* dx;
    std::int64_t channels, plane;
    RADIAL_HD void operator()(std::int64_t pixel, std::int64_t c) const {
        const std::int64_t image = quotient(pixel, plane);
        dx[pixel * channels + c] =
            convert<T>(convert<Compute<T>>(dy[image * channels + c]) / static_cast<Compute<T>>(plane));
    }
};
/// The gradient of the mean over a plane, for row-major images, where each row is one plane.
template <class T>
struct SpreadPlanes {
    const T* dy;
    T* dx;
    std::int64_t plane;
    RADIAL_HD void operator()(std::int64_t row, std::int64_t pixel) const {
        dx[row * plane + pixel] = convert<T>(convert<Compute<T>>(dy[row]) / static_cast<Compute<T>>(plane));
    }
};

}  // namespace radial::kernels
