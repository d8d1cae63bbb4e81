// Kernels that multiply each channel of each image by its own factor, and compute the gradients of the factors; and
// kernels that add a number to each channel.
#pragma once

#include "radial/core/backend/kernels/pool.h"
#include "radial/core/kernels/host_device.h"
#include "radial/core/kernels/values.h"

#include <cstdint>

namespace radial::kernels {

/// out = in * factor, with `channels` contiguous elements per pixel (channels_last). The factor of channel c of image n
/// is factor[n * image_step + c * channel_step].
template <class T>
struct ScalePixels {
    const T *in, *factor;
    T* out;
    std::int64_t channels, area, image_step, channel_step;
    RADIAL_HD void operator()(std::int64_t pixel, std::int64_t c) const {
        using C = Compute<T>;
        const T* const own = factor + pixel / area * image_step;
        const std::int64_t at = pixel * channels + c;
        out[at] = convert<T>(convert<C>(in[at]) * convert<C>(own[c * channel_step]));
    }
};

/// The same with `area` contiguous elements per channel (row_major).
template <class T>
struct ScalePlanes {
    const T *in, *factor;
    T* out;
    std::int64_t channels, area, image_step, channel_step;
    RADIAL_HD void operator()(std::int64_t plane, std::int64_t i) const {
        using C = Compute<T>;
        const std::int64_t image = plane / channels, channel = plane - image * channels;
        const C scale = convert<C>(factor[image * image_step + channel * channel_step]);
        out[plane * area + i] = convert<T>(convert<C>(in[plane * area + i]) * scale);
    }
};

/// dx = dy * factor, and dfactor = sum of dy * x over the pixels. Each task handles a range of adjacent channels of one
/// image. dx may equal dy. For the CPU, which has few lanes with long loops.
template <class T>
struct ScalePixelsBackward {
    static constexpr std::int64_t range = 64, pixels_at_once = 64;
    const T *x, *dy, *factor;
    T *dx, *dfactor;
    std::int64_t channels, area, ranges;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t task) const {
        using C = Compute<T>;
        const std::int64_t image = task / ranges, first = (task - image * ranges) * range;
        const std::int64_t width = channels - first < range ? channels - first : range;
        const T* const scale = factor + image * channels + first;
        double total[range];
        C part[range];
        for (std::int64_t c = 0; c < width; ++c) total[c] = 0;
        for (std::int64_t p = 0; p < area; p += pixels_at_once) {
            for (std::int64_t c = 0; c < width; ++c) part[c] = 0;
            const std::int64_t end = p + pixels_at_once < area ? p + pixels_at_once : area;
            for (std::int64_t q = p; q < end; ++q) {
                const std::int64_t start = (image * area + q) * channels + first;
                const T *const kept = x + start, *const upstream = dy + start;
                T* const down = dx + start;
                C* const sums = part;
                team.each(width, [=](std::int64_t c) {
                    const C grad = convert<C>(upstream[c]);
                    sums[c] += grad * convert<C>(kept[c]);
                    down[c] = convert<T>(grad * convert<C>(scale[c]));
                });
            }
            for (std::int64_t c = 0; c < width; ++c) total[c] += static_cast<double>(part[c]);
        }
        for (std::int64_t c = 0; c < width; ++c) dfactor[image * channels + first + c] = convert<T>(total[c]);
    }
};

/// ScalePixelsBackward for many lanes, for reduce_columns(): writes dx and returns dy * x at pixel `pixel` of column
/// `column`, which counts the channels of all images.
template <class T>
struct ScalePixelBackward {
    const T *x, *dy, *factor;
    T* dx;
    std::int64_t channels, area;
    RADIAL_HD Compute<T> operator()(std::int64_t pixel, std::int64_t column) const {
        using C = Compute<T>;
        const std::int64_t image = quotient(column, channels), channel = column - image * channels;
        const std::int64_t at = (image * area + pixel) * channels + channel;
        const C grad = convert<C>(dy[at]), part = grad * convert<C>(x[at]);
        dx[at] = convert<T>(grad * convert<C>(factor[column]));
        return part;
    }
};
/// Stores the sums of ScalePixelBackward.
template <class T>
struct StoreFactor {
    T* out;
    RADIAL_HD void operator()(std::int64_t column, double total) const { out[column] = convert<T>(total); }
};

/// ScalePixelsBackward for row_major: each row is one plane.
template <class T>
struct ScalePlanesBackward {
    const T *x, *dy, *factor;
    T *dx, *dfactor;
    std::int64_t area;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t plane) const {
        using C = Compute<T>;
        const T *const kept = x + plane * area, *const upstream = dy + plane * area;
        T *const down = dx + plane * area, *const out = dfactor + plane;
        const C scale = convert<C>(factor[plane]);
        const double total = team.sum(
            area, [=](std::int64_t i) { return static_cast<double>(convert<C>(upstream[i]) * convert<C>(kept[i])); });
        team.each(area, [=](std::int64_t i) { down[i] = convert<T>(convert<C>(upstream[i]) * scale); });
        team.once([&] { *out = convert<T>(total); });
    }
};

/// y += bias[c] for every pixel, in place, with `channels` contiguous elements per pixel (channels_last).
template <class T, class B>
struct ShiftPixels {
    const B* bias;
    T* y;
    std::int64_t channels;
    RADIAL_HD void operator()(std::int64_t pixel, std::int64_t c) const {
        T* const at = y + pixel * channels + c;
        *at = convert<T>(convert<Compute<T>>(*at) + convert<Compute<T>>(bias[c]));
    }
};
/// The same with `area` contiguous elements per channel (row_major).
template <class T, class B>
struct ShiftPlanes {
    const B* bias;
    T* y;
    std::int64_t channels, area;
    RADIAL_HD void operator()(std::int64_t plane, std::int64_t i) const {
        T* const at = y + plane * area + i;
        *at = convert<T>(convert<Compute<T>>(*at) + convert<Compute<T>>(bias[plane % channels]));
    }
};

}  // namespace radial::kernels
