// Pooling to a given number of pixels, in either layout. Each functor computes one element of its result, so that
// results do not depend on the order of lanes.
#pragma once

#include "radial/core/backend/kernels/pool.h"
#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/images.h"

#include <cstdint>
#include <type_traits>

namespace radial::kernels {

/// The windows of one dimension: `results` windows cover `extent` pixels.
struct AdaptiveWindows {
    std::int64_t extent, results;
    /// The pixels of window i.
    RADIAL_HD Span pixels(std::int64_t i) const {
        return {quotient(i * extent, results), quotient((i + 1) * extent + results - 1, results)};
    }
    /// The windows that contain a pixel.
    RADIAL_HD Span holding(std::int64_t pixel) const {
        return {quotient(pixel * results, extent), quotient((pixel + 1) * results + extent - 1, extent)};
    }
};

/// Calls element.at<1>(n, c, h, w) for every element of row `row` of `images`. A row consists of the channels of a
/// pixel in channels_last layout, and of the pixels of a line in row_major layout. On the CPU, element.at<block>(n, c,
/// h, w) computes `block` adjacent channels of channels_last images at once, for the vector units.
template <class Element>
struct ForEachElement {
    static constexpr int block = 16;
    Element element;
    Images images;
    bool channels_last;  ///< layout of `images`; strides do not determine it for one pixel or one channel
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const Images e = images;
        const Element own = element;
        if (!channels_last) {
            const std::int64_t plane = quotient(row, e.height), h = row - plane * e.height;
            const std::int64_t n = quotient(plane, e.channels), c = plane - n * e.channels;
            team.each(e.width, [=](std::int64_t w) { own.template at<1>(n, c, h, w); });
            return;
        }
        const std::int64_t line = quotient(row, e.width), w = row - line * e.width, n = quotient(line, e.height);
        const std::int64_t h = line - n * e.height;
        if constexpr (std::is_same_v<Team, SerialTeam>) {
            std::int64_t c = 0;
            for (; c + block <= e.channels; c += block) own.template at<block>(n, c, h, w);
            for (; c < e.channels; ++c) own.template at<1>(n, c, h, w);
        } else {
            team.each(e.channels, [=](std::int64_t c) { own.template at<1>(n, c, h, w); });
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
    template <int count>
    RADIAL_HD void at(std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) const {
        const Span rows = down.pixels(i), columns = across.pixels(j);
        double total[count] = {};
        for (std::int64_t h = rows.begin; h < rows.end; ++h) {
            for (std::int64_t w = columns.begin; w < columns.end; ++w) {
                const T* const pixel = x + from.at(n, c, h, w);
                for (int k = 0; k < count; ++k) total[k] += static_cast<double>(pixel[k]);
            }
        }
        const double area = static_cast<double>(rows.length() * columns.length());
        T* const result = y + to.at(n, c, i, j);
        for (int k = 0; k < count; ++k) result[k] = static_cast<T>(total[k] / area);
    }
};
/// The gradient of a pixel: the sum of its shares of the gradients of the windows that contain it.
template <class T>
struct AdaptiveAverageGradient {
    const T* dy;
    T* dx;
    Images from, to;  ///< of dy and dx
    AdaptiveWindows down, across;
    template <int count>
    RADIAL_HD void at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
        const Span rows = down.holding(h), columns = across.holding(w);
        double total[count] = {};
        for (std::int64_t i = rows.begin; i < rows.end; ++i) {
            const std::int64_t height = down.pixels(i).length();
            for (std::int64_t j = columns.begin; j < columns.end; ++j) {
                const double share = 1 / static_cast<double>(height * across.pixels(j).length());
                const T* const grad = dy + from.at(n, c, i, j);
                for (int k = 0; k < count; ++k) total[k] += share * static_cast<double>(grad[k]);
            }
        }
        T* const result = dx + to.at(n, c, h, w);
        for (int k = 0; k < count; ++k) result[k] = static_cast<T>(total[k]);
    }
};

/// The maximum of a window and the index h W + w of its pixel. A NaN counts as larger than every number.
template <class T>
struct AdaptiveMax {
    const T* x;
    T* y;
    std::int32_t* pixels;  ///< null if no gradient is needed
    Images from, to;
    AdaptiveWindows down, across;
    template <int count>
    RADIAL_HD void at(std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) const {
        using C = Compute<T>;
        const Span rows = down.pixels(i), columns = across.pixels(j);
        C best[count];
        std::int32_t won[count];
        for (int k = 0; k < count; ++k) {
            best[k] = -infinity<C>;
            won[k] = static_cast<std::int32_t>(rows.begin * from.width + columns.begin);
        }
        for (std::int64_t h = rows.begin; h < rows.end; ++h) {
            for (std::int64_t w = columns.begin; w < columns.end; ++w) {
                const T* const pixel = x + from.at(n, c, h, w);
                const auto here = static_cast<std::int32_t>(h * from.width + w);
                for (int k = 0; k < count; ++k) {
                    const C value = convert<C>(pixel[k]), old = best[k];
                    const std::int32_t before = won[k];
                    const bool wins = value > old || value != value;
                    best[k] = wins ? value : old;
                    won[k] = wins ? here : before;
                }
            }
        }
        const std::int64_t result = to.at(n, c, i, j);
        for (int k = 0; k < count; ++k) y[result + k] = convert<T>(best[k]);
        for (int k = 0; k < count && pixels != nullptr; ++k) pixels[result + k] = won[k];
    }
};
/// The gradient of a pixel: the sum of the gradients of the windows whose maximum it is.
template <class T>
struct AdaptiveMaxGradient {
    const T* dy;
    const std::int32_t* pixels;
    T* dx;
    Images from, to;  ///< of dy and dx
    AdaptiveWindows down, across;
    template <int count>
    RADIAL_HD void at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
        using C = Compute<T>;
        const Span rows = down.holding(h), columns = across.holding(w);
        const auto here = static_cast<std::int32_t>(h * to.width + w);
        C total[count] = {};
        for (std::int64_t i = rows.begin; i < rows.end; ++i) {
            for (std::int64_t j = columns.begin; j < columns.end; ++j) {
                const std::int64_t at = from.at(n, c, i, j);
                for (int k = 0; k < count; ++k) {
                    const C part = convert<C>(dy[at + k]);
                    total[k] += pixels[at + k] == here ? part : C{0};
                }
            }
        }
        T* const result = dx + to.at(n, c, h, w);
        for (int k = 0; k < count; ++k) result[k] = convert<T>(total[k]);
    }
};

}  // namespace radial::kernels
