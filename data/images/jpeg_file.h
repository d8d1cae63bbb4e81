// A JPEG file that is decoded in part, and how both formats begin. Not for users.
#pragma once

#include "radial/data/images/image.h"
#include "radial/data/images/view.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace radial::data {

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

}  // namespace radial::data
