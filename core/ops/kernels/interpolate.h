// Kernels of interpolation, which read the positions and weights of pixels from tables, and of pixel shuffling.
//
// A table has `taps` entries for each row (or column) of the result. The positions of the taps of one row are in
// ascending order, and so are the positions of each tap from row to row.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// A position between the pixels along one dimension.
struct Position {
    double scale;        ///< distance in the input between adjacent positions of the result
    bool align_corners;  ///< whether position 0 is at pixel 0; otherwise borders are aligned
    /// The position of row `i` of the result.
    RADIAL_HD double of(std::int64_t i) const {
        const double row = static_cast<double>(i);
        return align_corners ? scale * row : scale * (row + 0.5) - 0.5;
    }
};

/// `index` clamped to [0, extent).
RADIAL_HD inline std::int32_t inside(std::int64_t index, std::int64_t extent) {
    const std::int64_t low = index < 0 ? 0 : index;
    return static_cast<std::int32_t>(low < extent ? low : extent - 1);
}

/// Fills row i of the table with the nearest pixel. Computed in float, as PyTorch does.
template <class C>
struct NearestTable {
    std::int32_t* index;
    C* weight;
    std::int64_t extent, result;
    float scale;
    RADIAL_HD void operator()(std::int64_t i) const {
        std::int64_t at = static_cast<std::int64_t>(floorf(static_cast<float>(i) * scale));
        if (result == extent) at = i;
        if (result == 2 * extent) at = i / 2;
        index[i] = inside(at, extent);
        weight[i] = 1;
    }
};
/// Fills row i of the table for linear interpolation: two pixels.
template <class C>
struct LinearTable {
    std::int32_t* index;
    C* weight;
    std::int64_t extent, result;
    Position position;
    RADIAL_HD void operator()(std::int64_t i) const {
        const double clamped = position.of(i), at = result == extent ? static_cast<double>(i)
                                                    : clamped < 0    ? 0
                                                                     : clamped;
        const std::int32_t first = inside(static_cast<std::int64_t>(at), extent);
        const double rest = at - first, part = rest > 1 ? 1 : rest;
        index[2 * i] = first;
        index[2 * i + 1] = inside(first + std::int64_t{1}, extent);
        weight[2 * i] = static_cast<C>(1 - part);
        weight[2 * i + 1] = static_cast<C>(part);
    }
};
/// Fills row i of the table for cubic interpolation: four pixels.
template <class C>
struct CubicTable {
    static constexpr double a = -0.75;
    std::int32_t* index;
    C* weight;
    std::int64_t extent;
    Position position;
    RADIAL_HD void operator()(std::int64_t i) const {
        const double at = position.of(i), low = std::floor(at), t = at - low;
        for (int tap = 0; tap < 4; ++tap) {
            index[4 * i + tap] = inside(static_cast<std::int64_t>(low) + tap - 1, extent);
            weight[4 * i + tap] = static_cast<C>(value(t + 1 - tap));
        }
    }
    /// Keys' kernel at distance x.
    RADIAL_HD static double value(double x) {
        const double d = x < 0 ? -x : x;
        if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    }
};

/// Fills row h of the inverse table: the rows of the result that read row h of the input, [range[2 h], range[2 h + 1]).
struct ReadersTable {
    const std::int32_t* index;
    std::int64_t taps, result;
    std::int32_t* range;
    RADIAL_HD void operator()(std::int64_t h) const {
        range[2 * h] = first(h, taps - 1);
        range[2 * h + 1] = first(h + 1, 0);
    }
    /// The first row of the result whose tap `tap` reads row `h` of the input or a later one.
    RADIAL_HD std::int32_t first(std::int64_t h, std::int64_t tap) const {
        std::int64_t low = 0, high = result;
        while (low < high) {
            const std::int64_t middle = (low + high) / 2;
            if (index[middle * taps + tap] < h) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return static_cast<std::int32_t>(low);
    }
};

/// The tables of one dimension.
template <class C>
struct Table {
    const std::int32_t* index;
    const C* weight;
    const std::int32_t* range;  ///< null in forward
    /// The weight with which row `i` of the result reads row `h` of the input.
    template <int taps>
    RADIAL_HD C between(std::int64_t i, std::int64_t h) const {
        C total = 0;
        for (int tap = 0; tap < taps; ++tap) {
            const C w = weight[i * taps + tap];
            total += index[i * taps + tap] == h ? w : C{0};
        }
        return total;
    }
};

/// The extents of x (in_h, in_w) and of y (out_h, out_w).
struct Resized {
    std::int64_t channels, in_h, in_w, out_h, out_w;
};

/// Computes row `row` of y, counted over all channels and images (row_major).
template <class T, int taps>
struct InterpolatePlanes {
    const T* x;
    T* y;
    Table<Compute<T>> down, across;
    Resized e;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const std::int64_t plane = row / e.out_h, i = row - plane * e.out_h;
        const T* lines[taps];
        C factor[taps];
        for (int r = 0; r < taps; ++r) {
            lines[r] = x + (plane * e.in_h + down.index[i * taps + r]) * e.in_w;
            factor[r] = down.weight[i * taps + r];
        }
        const std::int32_t* const index = across.index;
        const C* const weight = across.weight;
        T* const to = y + row * e.out_w;
        team.each(e.out_w, [&](std::int64_t j) {
            if constexpr (taps == 1) {
                to[j] = lines[0][index[j]];
            } else {
                C total = 0;
                for (int r = 0; r < taps; ++r) {
                    C part = 0;
                    for (int s = 0; s < taps; ++s)
                        part += weight[j * taps + s] * convert<C>(lines[r][index[j * taps + s]]);
                    total += factor[r] * part;
                }
                to[j] = convert<T>(total);
            }
        });
    }
};
/// Computes pixel `row` of y, counted over all images (channels_last).
template <class T, int taps>
struct InterpolatePixels {
    const T* x;
    T* y;
    Table<Compute<T>> down, across;
    Resized e;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const std::int64_t line = row / e.out_w, j = row - line * e.out_w, n = line / e.out_h, i = line - n * e.out_h;
        const T* pixels[taps * taps];
        C factor[taps * taps];
        for (int r = 0; r < taps; ++r) {
            for (int s = 0; s < taps; ++s) {
                const std::int64_t h = down.index[i * taps + r], w = across.index[j * taps + s];
                pixels[r * taps + s] = x + ((n * e.in_h + h) * e.in_w + w) * e.channels;
                factor[r * taps + s] = down.weight[i * taps + r] * across.weight[j * taps + s];
            }
        }
        T* const to = y + row * e.channels;
        team.each(e.channels, [&](std::int64_t c) {
            if constexpr (taps == 1) {
                to[c] = pixels[0][c];
            } else {
                C total = 0;
                for (int k = 0; k < taps * taps; ++k) total += factor[k] * convert<C>(pixels[k][c]);
                to[c] = convert<T>(total);
            }
        });
    }
};

/// Computes row `row` of dx, counted over all channels and images (row_major): each pixel is the sum over the pixels of
/// y that read it.
template <class T, int taps>
struct InterpolatePlanesBackward {
    const T* dy;
    T* dx;
    Table<Compute<T>> down, across;
    Resized e;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        using C = Compute<T>;
        const std::int64_t plane = row / e.in_h, h = row - plane * e.in_h;
        const std::int64_t begin = down.range[2 * h], end = down.range[2 * h + 1], width = e.out_w;
        const T* const image = dy + plane * e.out_h * width;
        const Table<C> rows = down, columns = across;
        T* const to = dx + row * e.in_w;
        team.each(e.in_w, [&](std::int64_t w) {
            C total = 0;
            for (std::int64_t j = columns.range[2 * w]; j < columns.range[2 * w + 1]; ++j) {
                C part = 0;
                for (std::int64_t i = begin; i < end; ++i)
                    part += rows.template between<taps>(i, h) * convert<C>(image[i * width + j]);
                total += columns.template between<taps>(j, w) * part;
            }
            to[w] = convert<T>(total);
        });
    }
};
/// Computes pixel `row` of dx, counted over all images (channels_last). A single lane handles `width` channels at once.
template <class T, int taps>
struct InterpolatePixelsBackward {
    static constexpr int width = 16;
    const T* dy;
    T* dx;
    Table<Compute<T>> down, across;
    Resized e;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t line = row / e.in_w, w = row - line * e.in_w, n = line / e.in_h, h = line - n * e.in_h;
        const T* const image = dy + n * e.out_h * e.out_w * e.channels;
        T* const to = dx + row * e.channels;
        if constexpr (std::is_same_v<Team, SerialTeam>) {
            std::int64_t c = 0;
            for (; c + width <= e.channels; c += width) sum<width>(image + c, h, w, to + c);
            for (; c < e.channels; ++c) sum<1>(image + c, h, w, to + c);
        } else {
            team.each(e.channels, [=, *this](std::int64_t c) { sum<1>(image + c, h, w, to + c); });
        }
    }

private:
    template <int count>
    RADIAL_HD void sum(const T* image, std::int64_t h, std::int64_t w, T* to) const {
        using C = Compute<T>;
        C total[count] = {};
        for (std::int64_t i = down.range[2 * h]; i < down.range[2 * h + 1]; ++i) {
            const C factor = down.template between<taps>(i, h);
            for (std::int64_t j = across.range[2 * w]; j < across.range[2 * w + 1]; ++j) {
                const C weight = factor * across.template between<taps>(j, w);
                const T* const from = image + (i * e.out_w + j) * e.channels;
                for (int c = 0; c < count; ++c) total[c] += weight * convert<C>(from[c]);
            }
        }
        for (int c = 0; c < count; ++c) to[c] = convert<T>(total[c]);
    }
};

/// Copies between images with few channels and large planes, [N, C, H r, W r], and images with many channels and small
/// planes, [N, C r^2, H, W]. The copy is to the images with few channels if `shuffle` is set, else to those with many.
template <class T, bool shuffle>
struct ShufflePixels {
    const T* in;
    T* out;
    std::int64_t channels, height, width, factor;  ///< C, H, W, r
    bool channels_last;
    /// Copies row `row`, counted over (n, c, i, j, h) of row-major images, or over (n, h, w, i, j) of channels-last
    /// images.
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t r = factor;
        std::int64_t few, many, few_step, many_step, count;
        if (channels_last) {
            const std::int64_t pixel = row / (r * r), part = row - pixel * r * r, i = part / r, j = part - i * r;
            const std::int64_t line = pixel / width, w = pixel - line * width;
            few = ((line * r + i) * width * r + w * r + j) * channels, few_step = 1;
            many = pixel * channels * r * r + part, many_step = r * r, count = channels;
        } else {
            const std::int64_t plane = row / height, h = row - plane * height;
            const std::int64_t image = plane / (r * r), part = plane - image * r * r, i = part / r, j = part - i * r;
            few = ((image * height + h) * r + i) * width * r + j, few_step = r;
            many = row * width, many_step = 1, count = width;
        }
        const T* const from = in + (shuffle ? many : few);
        T* const to = out + (shuffle ? few : many);
        const std::int64_t from_step = shuffle ? many_step : few_step, to_step = shuffle ? few_step : many_step;
        team.each(count, [=](std::int64_t k) { to[k * to_step] = from[k * from_step]; });
    }
};

}  // namespace radial::kernels
