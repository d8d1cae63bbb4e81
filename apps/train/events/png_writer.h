// Pictures as PNG files, for pages and event files.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <string>
#include <string_view>

namespace radial::train {

/// A PNG file and what it shows.
struct PngPicture {
    std::string file;  ///< its bytes
    std::int64_t width = 0, height = 0, channels = 0;
};

/// `planes`: uint8 [C, H, W] on the CPU, C 1 (grey) or 3 (RGB). A picture whose shorter side is longer than
/// `shorter_side` is made smaller, to that side. Throws Error for any other tensor.
PngPicture png_of(const Tensor& planes, std::int64_t shorter_side);

/// "data:image/png;base64,...", which an <img> shows without another file.
std::string data_uri(std::string_view png);

}  // namespace radial::train
