// The one thing of EXIF that matters here: which way up a picture is.
#include "radial/data/decoded.h"

#include <algorithm>

namespace radial::data {
namespace {

/// Reads numbers of either byte order out of bytes that may end anywhere.
class Numbers {
public:
    Numbers(std::span<const std::uint8_t> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

    bool holds(std::uint64_t at, std::uint64_t count) const { return at + count <= bytes_.size(); }
    std::uint32_t at(std::uint64_t place, std::uint64_t count) const {
        std::uint32_t value = 0;
        for (std::uint64_t i = 0; i < count; ++i)
            value = value << 8U | bytes_[place + (big_endian_ ? i : count - 1 - i)];
        return value;
    }

private:
    std::span<const std::uint8_t> bytes_;
    bool big_endian_;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> exif) {
    // The standard wants a SHORT. Some programs write a LONG, and Pillow takes that, and signed ones, too.
    constexpr std::uint32_t orientation_tag = 0x0112, short_type = 3, long_type = 4, signed_short = 8, signed_long = 9;
    if (exif.size() < 8 || exif[0] != exif[1] || (exif[0] != 'I' && exif[0] != 'M')) return 1;
    const Numbers numbers(exif, exif[0] == 'M');
    if (numbers.at(2, 2) != 42) return 1;
    const std::uint64_t directory = numbers.at(4, 4);
    if (!numbers.holds(directory, 2)) return 1;
    const std::uint32_t entries = numbers.at(directory, 2);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const std::uint64_t entry = directory + 2 + std::uint64_t{12} * i;
        if (!numbers.holds(entry, 12)) return 1;
        const std::uint32_t type = numbers.at(entry + 2, 2);
        const bool narrow = type == short_type || type == signed_short, wide = type == long_type || type == signed_long;
        if (numbers.at(entry, 2) != orientation_tag || !(narrow || wide)) continue;
        const std::uint32_t value = numbers.at(entry + 8, narrow ? 2 : 4);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

Tensor upright(const Tensor& pixels, int orientation) {
    if (orientation == 1) return pixels;
    const bool swapped = orientation >= 5;
    const bool flip_rows = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool flip_columns = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const std::int64_t rows = pixels.size(0), columns = pixels.size(1), channels = pixels.size(2);
    const Tensor result =
        Tensor::empty({swapped ? columns : rows, swapped ? rows : columns, channels}, DType::uint8, Device{});
    const std::uint8_t* const from = pixels.data<std::uint8_t>();
    std::uint8_t* to = result.data<std::uint8_t>();
    for (std::int64_t y = 0; y < result.size(0); ++y) {
        for (std::int64_t x = 0; x < result.size(1); ++x) {
            const std::int64_t row = swapped ? x : y, column = swapped ? y : x;
            const std::int64_t source_row = flip_rows ? rows - 1 - row : row;
            const std::int64_t source_column = flip_columns ? columns - 1 - column : column;
            to = std::copy_n(from + (source_row * columns + source_column) * channels, channels, to);
        }
    }
    return result;
}

}  // namespace radial::data
