// Reads a view of an image file, decoding no more of it than the view needs.
#pragma once

#include "radial/data/resample.h"
#include "radial/data/view.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace radial::data {

/// Reads views of JPEG and PNG files and reuses its memory from one to the next. Not thread-safe.
class ViewReader {
public:
    /// Chooses the view of an image of [height, width], after rotation.
    using Choice = std::function<View(std::int64_t height, std::int64_t width)>;

    /// If `scaled` is set, a JPEG is decoded at 1/2, 1/4 or 1/8 of its size as long as the view's box then has at least
    /// as many rows and columns as it is resized to. Otherwise views are exactly those of the full image.
    explicit ViewReader(bool scaled = false) : scaled_(scaled) {}

    /// The view as bytes [view.kept.height, view.kept.width, 3], valid until the next call. Throws FileError as
    /// read_image() does.
    std::span<const std::uint8_t> read(const std::filesystem::path& file, const Choice& choose);
    /// The same for the content of a file. Error messages begin with `name`.
    std::span<const std::uint8_t> decode(std::span<const std::uint8_t> content, std::string_view name,
                                         const Choice& choose);
    /// The same for an image in memory, given as planes [3, height, width] or [1, height, width], with as many channels
    /// in the result.
    std::span<const std::uint8_t> resize(const std::uint8_t* planes, std::int64_t channels, std::int64_t height,
                                         std::int64_t width, const Choice& choose);

private:
    int plan(const View& view, bool may_scale);
    std::span<const std::uint8_t> finish(const View& view, const std::uint8_t* from, std::int64_t stride,
                                         std::int64_t channels, bool as_rgb);

    bool scaled_;
    Resampler resampler_;
    std::int64_t top_ = 0, left_ = 0;  ///< where the resampler's sources are counted from, in the decoded picture
    std::vector<std::uint8_t> content_, pixels_, view_;
};

}  // namespace radial::data
