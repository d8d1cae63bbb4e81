// Pooling to a given number of pixels, in either layout. Each functor computes one element of its result, so that
// results do not depend on the order of lanes.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cstdint>

namespace radial::kernels {

/// Extents and strides of images [N, C, H, W].
struct Images {
    std::int64_t channels, height, width;
    std::int64_t image_stride, channel_stride, row_stride, column_stride;
    RADIAL_HD std::int64_t at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
        return n * image_stride + c * channel_stride + h * row_stride + w * column_stride;
    }
};

/// The windows of one dimension: `results` windows cover `extent` pixels.
struct AdaptiveWindows {
    std::int64_t extent, results;
    RADIAL_HD std::int64_t begin(std::int64_t i) const { return i * extent / results; }
    RADIAL_HD std::int64_t end(std::int64_t i) const { return ((i + 1) * extent + results - 1) / results; }
    ///@{ The windows that contain a pixel.
    RADIAL_HD std::int64_t first_with(std::int64_t pixel) const { return pixel * results / extent; }
    RADIAL_HD std::int64_t end_with(std::int64_t pixel) const { return ((pixel + 1) * results + extent - 1) / extent; }
    ///@}
    RADIAL_HD double length(std::int64_t i) const { return static_cast<double>(end(i) - begin(i)); }
};

/// Calls element.at(n, c, h, w) for every element of the row `row` of `images`: the channels of a pixel for
/// channels_last, the pixels of a line for row_major.
template <class Element>
struct ForEachElement {
    Element element;
    Images images;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const Images e = images;
        const Element own = element;
        if (e.channel_stride == 1) {
            const std::int64_t line = row / e.width, w = row - line * e.width, n = line / e.height;
            const std::int64_t h = line - n * e.height;
            team.each(e.channels, [=](std::int64_t c) { own.at(n, c, h, w); });
        } else {
            const std::int64_t plane = row / e.height, h = row - plane * e.height, n = plane / e.channels;
            const std::int64_t c = plane - n * e.channels;
            team.each(e.width, [=](std::int64_t w) { own.at(n, c, h, w); });
        }
    }
};

/// The mean of a window, summed in double.
template <class T>
struct AdaptiveAverage {
    const T* x;
    T* y;
    Images from, to;
    AdaptiveWindows down, across;
    RADIAL_HD void at(std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) const {
        double total = 0;
        for (std::int64_t h = down.begin(i); h < down.end(i); ++h)
            for (std::int64_t w = across.begin(j); w < across.end(j); ++w)
                total += static_cast<double>(x[from.at(n, c, h, w)]);
        y[to.at(n, c, i, j)] = static_cast<T>(total / (down.length(i) * across.length(j)));
    }
};
/// The gradient of a pixel: its shares of the windows that contain it.
template <class T>
struct AdaptiveAverageGradient {
    const T* dy;
    T* dx;
    Images from, to;  ///< of dy and dx
    AdaptiveWindows down, across;
    RADIAL_HD void at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
        double total = 0;
        for (std::int64_t i = down.first_with(h); i < down.end_with(h); ++i)
            for (std::int64_t j = across.first_with(w); j < across.end_with(w); ++j)
                total += static_cast<double>(dy[from.at(n, c, i, j)]) / (down.length(i) * across.length(j));
        dx[to.at(n, c, h, w)] = static_cast<T>(total);
    }
};

/// The maximum of a window and its pixel h W + w. A NaN counts as larger than every number.
template <class T>
struct AdaptiveMax {
    const T* x;
    T* y;
    std::int32_t* pixels;  ///< null if no gradient is needed
    Images from, to;
    AdaptiveWindows down, across;
    RADIAL_HD void at(std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) const {
        using C = Compute<T>;
        C best = -infinity<C>;
        std::int64_t won = down.begin(i) * from.width + across.begin(j);
        for (std::int64_t h = down.begin(i); h < down.end(i); ++h) {
            for (std::int64_t w = across.begin(j); w < across.end(j); ++w) {
                const C value = convert<C>(x[from.at(n, c, h, w)]);
                const bool wins = value > best || value != value;
                best = wins ? value : best;
                won = wins ? h * from.width + w : won;
            }
        }
        y[to.at(n, c, i, j)] = convert<T>(best);
        if (pixels != nullptr) pixels[to.at(n, c, i, j)] = static_cast<std::int32_t>(won);
    }
};
/// The gradient of a pixel: the sum over the windows in which it is the maximum.
template <class T>
struct AdaptiveMaxGradient {
    const T* dy;
    const std::int32_t* pixels;
    T* dx;
    Images from, to;  ///< of dy and dx
    AdaptiveWindows down, across;
    RADIAL_HD void at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
        using C = Compute<T>;
        C total = 0;
        for (std::int64_t i = down.first_with(h); i < down.end_with(h); ++i) {
            for (std::int64_t j = across.first_with(w); j < across.end_with(w); ++j) {
                const std::int64_t at = from.at(n, c, i, j);
                const C part = convert<C>(dy[at]);
                total += pixels[at] == h * to.width + w ? part : C{0};
            }
        }
        dx[to.at(n, c, h, w)] = convert<T>(total);
    }
};

}  // namespace radial::kernels
