// Planning a view, decoding what it takes, resizing that.
#include "radial/data/view_reader.h"

#include "radial/data/decoded.h"
#include "radial/data/image.h"

#include <algorithm>
#include <cmath>

namespace radial::data {
namespace {

/// One axis of `view` in a picture that is decoded at eighths / 8 of its size: what `begin` and `length` say of the
/// whole. `origin` becomes the decoded pixel that sources are counted from.
Axis scaled_axis(std::int64_t begin, std::int64_t length, int eighths, std::int64_t to, Range wanted,
                 std::int64_t& origin) {
    const double scale = eighths / 8.0;
    const double from = static_cast<double>(begin) * scale, extent = static_cast<double>(length) * scale;
    origin = begin * eighths / 8;
    const std::int64_t end = ((begin + length) * eighths + 7) / 8;
    return {.offset = from - static_cast<double>(origin),
            .length = extent,
            .limit = end - origin,
            .to = to,
            .wanted = wanted};
}

Range moved(Range range, std::int64_t by) { return {range.begin + by, range.end + by}; }

}  // namespace

/// Plans the resampling and returns how many eighths of its size the picture is to be decoded at.
int ViewReader::plan(const View& view, bool may_scale) {
    int eighths = 8;
    while (may_scale && eighths > 1 && view.box.height * eighths >= view.height * 16 &&
           view.box.width * eighths >= view.width * 16)
        eighths /= 2;
    const Region& kept = view.kept;
    const Axis down =
        scaled_axis(view.box.top, view.box.height, eighths, view.height, {kept.top, kept.top + kept.height}, top_);
    const Axis across =
        scaled_axis(view.box.left, view.box.width, eighths, view.width, {kept.left, kept.left + kept.width}, left_);
    resampler_.plan(down, across);
    return eighths;
}

/// Resizes what begins with `from`, the first pixel that the plan takes.
std::span<const std::uint8_t> ViewReader::finish(const View& view, const std::uint8_t* from, std::int64_t stride,
                                                 std::int64_t channels, bool as_rgb) {
    const std::int64_t pixels = view.kept.height * view.kept.width, all = as_rgb ? 3 : channels;
    view_.resize(static_cast<std::size_t>(pixels * all));
    resampler_.run(from, stride, channels, view_.data());
    if (channels != all)  // from the last on, so that none is overwritten before it has been read
        for (std::int64_t i = pixels - 1; i >= 0; --i)
            std::fill_n(view_.data() + 3 * i, 3, view_[static_cast<std::size_t>(i)]);
    return view_;
}

std::span<const std::uint8_t> ViewReader::read(const std::filesystem::path& file, const Choice& choose) {
    read_bytes(file, content_);
    return decode(content_, file.native(), choose);
}

std::span<const std::uint8_t> ViewReader::decode(std::span<const std::uint8_t> content, std::string_view name,
                                                 const Choice& choose) {
    if (is_jpeg(content)) {
        JpegFile file(content, name, {});
        if (file.orientation() == 1) {
            const View view = choose(file.height(), file.width());
            const int eighths = plan(view, scaled_ && file.scales_evenly());
            const Range rows = moved(resampler_.rows(), top_), columns = moved(resampler_.columns(), left_);
            const JpegFile::Part part = file.begin(eighths, rows, columns);
            pixels_.resize(part.bytes());
            file.read(pixels_.data());
            return finish(view, pixels_.data() + (columns.begin - part.columns.begin) * part.channels,
                          part.columns.size() * part.channels, part.channels, true);
        }
    }
    const Tensor image = decode_image(content, name);
    const View view = choose(image.size(0), image.size(1));
    plan(view, false);
    const std::int64_t stride = image.size(1) * image.size(2);
    const std::uint8_t* const first = image.data<std::uint8_t>() + (top_ + resampler_.rows().begin) * stride +
                                      (left_ + resampler_.columns().begin) * image.size(2);
    return finish(view, first, stride, image.size(2), true);
}

std::span<const std::uint8_t> ViewReader::resize(const std::uint8_t* planes, std::int64_t channels, std::int64_t height,
                                                 std::int64_t width, const Choice& choose) {
    const View view = choose(height, width);
    plan(view, false);
    const Range rows = moved(resampler_.rows(), top_), columns = moved(resampler_.columns(), left_);
    pixels_.resize(static_cast<std::size_t>(rows.size() * columns.size() * channels));
    for (std::int64_t c = 0; c < channels; ++c) {
        std::uint8_t* to = pixels_.data() + c;
        for (std::int64_t y = rows.begin; y < rows.end; ++y) {
            const std::uint8_t* const row = planes + (c * height + y) * width;
            for (std::int64_t x = columns.begin; x < columns.end; ++x, to += channels) *to = row[x];
        }
    }
    return finish(view, pixels_.data(), columns.size() * channels, channels, false);
}

}  // namespace radial::data
