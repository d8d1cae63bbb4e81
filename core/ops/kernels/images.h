// The extents and strides of images, for kernels that read and write them in either layout.
#pragma once

#include "radial/core/kernels/host_device.h"

#include <cstdint>

namespace radial::kernels {

/// Extents and strides of images [N, C, H, W].
struct Images {
    std::int64_t channels, height, width;
    std::int64_t image_stride, channel_stride, row_stride, column_stride;  ///< in elements
    /// The offset of channel c of pixel (h, w) of image n.
    RADIAL_HD std::int64_t at(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
        return n * image_stride + c * channel_stride + h * row_stride + w * column_stride;
    }
};

/// Returns the extents and strides of dense images in one of the two layouts.
inline Images dense_images(std::int64_t channels, std::int64_t height, std::int64_t width, bool channels_last) {
    const std::int64_t image = channels * height * width;
    if (channels_last) return {channels, height, width, image, 1, width * channels, channels};
    return {channels, height, width, image, height * width, width, 1};
}

}  // namespace radial::kernels
