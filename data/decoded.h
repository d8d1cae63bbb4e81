// What the decoders of single formats hand to image.cpp. Not for users.
#pragma once

#include "radial/core/tensor.h"
#include "radial/data/image.h"

#include <string>
#include <string_view>

namespace radial::data {

/// An image as it lies in its file.
struct Decoded {
    Tensor pixels;        ///< uint8 [H, W, 1] (grey) or [H, W, 3] (RGB)
    int orientation = 1;  ///< EXIF's number, 1 to 8
};

/// Each throws FileError beginning with `name`.
Decoded decode_jpeg(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options);
Decoded decode_png(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options);

/// Throws FileError unless the size is above 0 and within options.max_pixels.
void check_size(std::string_view name, std::int64_t width, std::int64_t height, const ImageOptions& options);

/// The orientation that EXIF data (from its "II" or "MM" on) states; 1 when it states none or is malformed.
int exif_orientation(std::span<const std::uint8_t> exif);
/// [H, W, C] turned and mirrored so that it is upright: [W, H, C] for the orientations 5 to 8.
Tensor upright(const Tensor& pixels, int orientation);

}  // namespace radial::data
