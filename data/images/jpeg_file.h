// Partial decoding of a JPEG file, and detection of JPEG and PNG files. For internal use.
#pragma once

#include "radial/data/images/image.h"
#include "radial/data/images/view.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace radial::data {

/// A JPEG whose header has been read. All functions throw FileError with a message that begins with `name`.
class JpegFile {
public:
    /// Reads the header. `content` must outlive this object.
    JpegFile(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options);
    ~JpegFile();
    JpegFile(const JpegFile&) = delete;
    JpegFile& operator=(const JpegFile&) = delete;

    std::int64_t width() const;
    std::int64_t height() const;
    int orientation() const;  ///< the EXIF orientation, 1 to 8
    /// Whether chroma keeps its detail when decoding at a reduced size. If chroma is subsampled in one direction only,
    /// libjpeg reduces its resolution further.
    bool scales_evenly() const;

    /// The pixels that will be decoded: `rows` x `columns`, with `channels` (1 or 3) bytes per pixel and no padding.
    struct Part {
        Range rows, columns;
        std::int64_t channels;
        std::size_t bytes() const { return static_cast<std::size_t>(rows.size() * columns.size() * channels); }
    };
    /// Starts decoding at `eighths` / 8 of the size (rounded up). The part contains at least `rows` x `columns` of the
    /// scaled image. The inverse cosine transform is skipped outside the part; its pixels are identical to those of a
    /// full decode. Can be called only once.
    Part begin(int eighths, Range rows, Range columns);
    /// Writes the pixels of the part to `to`.
    void read(std::uint8_t* to);

private:
    class State;
    std::unique_ptr<State> state_;
};

/// Whether the content of a file begins like that of a JPEG (is_jpeg) or PNG (is_png) file.
bool is_jpeg(std::span<const std::uint8_t> content);
bool is_png(std::span<const std::uint8_t> content);

}  // namespace radial::data
