// Kernels that copy the windows of images to columns, and add columns to images.
#pragma once

#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/images.h"

#include <cstdint>

namespace radial::kernels {

/// Images, and windows of them. (i, j) is the position of a window, and (r, s) that of an element in a window.
struct Unfolding {
    Images images;
    std::int64_t window_h, window_w, down, across;  ///< extents of a window, numbers of windows
    std::int64_t stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
};

/// Writes row `row` of the columns, counted over (n, c, r, s, i); its elements are the positions j.
template <class T>
struct Unfold {
    const T* x;
    T* y;
    Unfolding u;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        std::int64_t rest = row;
        const std::int64_t i = next(rest, u.down), s = next(rest, u.window_w), r = next(rest, u.window_h);
        const std::int64_t c = next(rest, u.images.channels), h = i * u.stride_h - u.pad_h + r * u.dilation_h;
        const bool inside = h >= 0 && h < u.images.height;
        const T* const line =
            x + rest * u.images.image_stride + c * u.images.channel_stride + (inside ? h : 0) * u.images.row_stride;
        T* const to = y + row * u.across;
        const std::int64_t first = s * u.dilation_w - u.pad_w, step = u.stride_w, width = u.images.width;
        const std::int64_t stride = u.images.column_stride;
        team.each(u.across, [=](std::int64_t j) {
            const std::int64_t w = first + j * step;
            to[j] = inside && w >= 0 && w < width ? line[w * stride] : convert<T>(0.0F);
        });
    }
    /// Splits off the innermost index of `rest`.
    RADIAL_HD static std::int64_t next(std::int64_t& rest, std::int64_t extent) {
        const std::int64_t outer = rest / extent, index = rest - outer * extent;
        rest = outer;
        return index;
    }
};

/// Writes row `row` of the images, counted over (n, c, h): each pixel is the sum of the elements that unfold() reads
/// from it.
template <class T>
struct Fold {
    const T* y;
    T* x;
    Unfolding u;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        std::int64_t rest = row;
        const std::int64_t h = Unfold<T>::next(rest, u.images.height), c = Unfold<T>::next(rest, u.images.channels);
        const Unfolding own = u;
        const T* const windows = y + (rest * u.images.channels + c) * u.window_h * u.window_w * u.down * u.across;
        T* const to = x + rest * u.images.image_stride + c * u.images.channel_stride + h * u.images.row_stride;
        team.each(u.images.width, [=](std::int64_t w) {
            double total = 0;
            for (std::int64_t r = 0; r < own.window_h; ++r) {
                const std::int64_t i = position(h + own.pad_h - r * own.dilation_h, own.stride_h, own.down);
                if (i < 0) continue;
                for (std::int64_t s = 0; s < own.window_w; ++s) {
                    const std::int64_t j = position(w + own.pad_w - s * own.dilation_w, own.stride_w, own.across);
                    if (j < 0) continue;
                    const std::int64_t at = ((r * own.window_w + s) * own.down + i) * own.across + j;
                    total += static_cast<double>(windows[at]);
                }
            }
            to[w * own.images.column_stride] = static_cast<T>(total);
        });
    }
    /// The index of the window that begins at `start`, or -1 if there is none.
    RADIAL_HD static std::int64_t position(std::int64_t start, std::int64_t stride, std::int64_t count) {
        if (stride == 1) return start >= 0 && start < count ? start : -1;
        const std::int64_t index = start / stride;
        return start >= 0 && index * stride == start && index < count ? index : -1;
    }
};

}  // namespace radial::kernels
