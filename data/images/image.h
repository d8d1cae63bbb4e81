// Decodes JPEG and PNG files.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace radial::data {

/// Options of read_image() and decode_image().
struct ImageOptions {
    std::int64_t channels = 3;  ///< 3: RGB; 1: grey, 0.299 R + 0.587 G + 0.114 B
    /// If above 0, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, the smallest at which its shorter side has at
    /// least this many pixels. Intended for training, where a view of a 12-megapixel photograph then takes half the
    /// time. If this is three times the view's size, the view differs from that of the full image by 0.3 of 255 on
    /// average, and by 0.8 if it is twice the size. Sizes are rounded up, so a view may also be shifted by a fraction
    /// of a pixel.
    std::int64_t shorter_side = 0;
    std::int64_t max_pixels = 178'956'970;  ///< number of pixels of the full image; larger images are rejected
    std::int64_t max_side = 1'000'000;      ///< longer side of the full image, in pixels; larger images are rejected
};

/// Reads a JPEG (grey, RGB, CMYK, YCCK) or PNG file (grey, palette, RGB; 1 to 16 bits; with or without alpha),
/// distinguished by content. The result is uint8 [H, W, channels] on the CPU, rotated according to the EXIF data.
/// Colours are converted as by convert("RGB") and convert("L") of Pillow 13: alpha and transparent colours are dropped,
/// CMYK is interpreted as Adobe stores it, and colour profiles are ignored. Of 16 bits the upper 8 are kept, also in
/// grey images, where Pillow (as of 13.0) turns every value above 255 into 255. Throws FileError naming the file when
/// it is missing, empty, of another type, truncated, corrupt, too large, or a JPEG of more than 100 scans (progressive
/// ones have about 10), and Error when `channels` is neither 1 nor 3.
Tensor read_image(const std::filesystem::path& path, const ImageOptions& options = {});
/// Like read_image(), for the content of a file. Error messages begin with `name`.
Tensor decode_image(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options = {});

/// Reads the bytes of a file into `content`, whose memory is reused. Throws FileError when it is missing, not a regular
/// file, or cannot be read.
void read_bytes(const std::filesystem::path& path, std::vector<std::uint8_t>& content);

}  // namespace radial::data
