// Pictures from JPEG and PNG files.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace radial::data {

struct ImageOptions {
    std::int64_t channels = 3;  ///< 3: RGB; 1: grey, 0.299 R + 0.587 G + 0.114 B
    /// Above 0, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size: the least whose shorter side has at least so many
    /// pixels. For training: of a 12-megapixel photograph a view takes half the time, and with three times its size
    /// asked for here differs from that of the whole by 0.3 of 255 in the mean (0.8 with twice). Sizes are rounded up,
    /// so that a view of it may also be shifted by part of a pixel.
    std::int64_t shorter_side = 0;
    std::int64_t max_pixels = 178'956'970;  ///< of the whole image in the file; beyond, it is refused
    std::int64_t max_side = 1'000'000;      ///< likewise its longer side, in pixels
};

/// Reads a JPEG (grey, RGB, CMYK, YCCK) or PNG (grey, palette, RGB; 1 to 16 bits; with or without alpha) file, told
/// apart by their content, on the CPU: uint8 [H, W, channels], upright as EXIF says. As convert("RGB") and
/// convert("L") of Pillow 13: alpha and transparent colours are dropped, CMYK is taken as Adobe stores it, colour
/// profiles are ignored. Of 16 bits the upper 8 are kept, in grey too, where Pillow (as of 13.0) makes 255 of every
/// value above it.
/// Throws FileError naming the file when it is missing, empty, of another type, truncated, corrupt, too large, or a
/// JPEG of more than 100 scans (those of progressive ones have about 10), and Error when `channels` is neither 1 nor 3.
Tensor read_image(const std::filesystem::path& path, const ImageOptions& options = {});
/// As read_image() for a file's content; `name` begins the errors.
Tensor decode_image(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options = {});

/// The bytes of a file into `content`, whose memory is reused. Throws FileError when it is missing, not a regular
/// file, or cannot be read.
void read_bytes(const std::filesystem::path& path, std::vector<std::uint8_t>& content);

}  // namespace radial::data
