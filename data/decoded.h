// What the decoders of single formats hand to image.cpp. Not for users.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/data/image.h"
#include "radial/data/resample.h"

#include <memory>
#include <string>
#include <string_view>

namespace radial::data {

/// An image as it lies in its file.
struct Decoded {
    Tensor pixels;        ///< uint8 [H, W, 1] (grey) or [H, W, 3] (RGB)
    int orientation = 1;  ///< EXIF's number, 1 to 8
};

/// A JPEG whose header has been read. Everything throws FileError beginning with `name`.
class JpegFile {
public:
    /// `content` must stay as long as this.
    JpegFile(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options);
    ~JpegFile();
    JpegFile(const JpegFile&) = delete;
    JpegFile& operator=(const JpegFile&) = delete;

    std::int64_t width() const;
    std::int64_t height() const;
    int orientation() const;  ///< EXIF's number, 1 to 8
    /// Whether colours keep their detail at reduced sizes. Where they are halved in one direction only, libjpeg reduces
    /// them once more.
    bool scales_evenly() const;

    /// Pixels about to be decoded: `rows` x `columns`, `channels` (1 or 3) bytes each, without gaps.
    struct Part {
        Range rows, columns;
        std::int64_t channels;
        std::size_t bytes() const { return static_cast<std::size_t>(rows.size() * columns.size() * channels); }
    };
    /// Begins to decode at `eighths` / 8 of the size, which is rounded up, no less than `rows` x `columns` of it. The
    /// cosine transform of what is not wanted is saved, and the pixels are those of the whole. Once.
    Part begin(int eighths, Range rows, Range columns);
    /// Writes that part.
    void read(std::uint8_t* to);

private:
    class State;
    std::unique_ptr<State> state_;
};

/// Whether a file begins as JPEGs do, or as PNGs.
bool is_jpeg(std::span<const std::uint8_t> content);
bool is_png(std::span<const std::uint8_t> content);

/// Each throws FileError beginning with `name`.
Decoded decode_jpeg(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options);
Decoded decode_png(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options);

/// Throws FileError unless the size is above 0 and within options.max_pixels and options.max_side.
void check_size(std::string_view name, std::int64_t width, std::int64_t height, const ImageOptions& options);

/// The orientation that EXIF data (from its "II" or "MM" on) states; 1 when it states none or is malformed.
int exif_orientation(std::span<const std::uint8_t> exif);
/// [H, W, C] turned and mirrored so that it is upright: [W, H, C] for the orientations 5 to 8.
Tensor upright(const Tensor& pixels, int orientation);

}  // namespace radial::data
