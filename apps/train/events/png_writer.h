// Conversion of pictures to PNG, for reports and event files.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <string>
#include <string_view>

namespace radial::train {

/// A picture in PNG format.
struct PngPicture {
    std::string file;                                  ///< content of the PNG file
    std::int64_t width = 0, height = 0, channels = 0;  ///< size in pixels, and 1 (grey) or 3 (RGB) channels
};

/// Converts a picture, uint8 [1 or 3, H, W] on the CPU, to PNG. If its shorter side is longer than `shorter_side`
/// pixels, the picture is reduced to that length. Throws Error for any other tensor.
PngPicture png_of(const Tensor& planes, std::int64_t shorter_side);

/// A data URI, "data:image/png;base64,...", which embeds the content of a PNG file in an HTML page.
std::string data_uri(std::string_view png);

}  // namespace radial::train
