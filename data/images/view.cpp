// Computes regions, the fixed-point weights of the resampler, and views of tensors and files.
#include "radial/data/images/view.h"

#include "radial/core/util/error.h"
#include "radial/data/images/image.h"
#include "radial/data/images/jpeg_file.h"

#include <algorithm>
#include <cmath>

namespace radial::data {
namespace {

double between(double low, double high, Generator& random) { return low + (high - low) * random.uniform(); }

std::int64_t up_to(std::int64_t last, Generator& random) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last) + 1));
}

/// The largest centred region with an allowed aspect ratio.
Region middle_region(std::int64_t height, std::int64_t width, const RandomRegionOptions& options) {
    const double aspect = static_cast<double>(width) / static_cast<double>(height);
    Region region{.height = height, .width = width};
    if (aspect < options.min_aspect) region.height = std::llround(static_cast<double>(width) / options.min_aspect);
    if (aspect > options.max_aspect) region.width = std::llround(static_cast<double>(height) * options.max_aspect);
    region.top = (height - region.height) / 2;
    region.left = (width - region.width) / 2;
    return region;
}

/// The number of fractional bits of weights and sums. With 8 integer bits and 2 bits for overshoot and sign, they fit
/// 32 bits.
constexpr int precision = 22;
constexpr std::int32_t half = 1 << (precision - 1);

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> precision, 0, 255)); }

/// Computes the part of `image` that `view` selects: [rows, columns, C].
Tensor resize_part(const Tensor& image, const View& view) {
    const std::int64_t W = image.size(1), C = image.size(2);
    Resampler resampler;
    resampler.plan({.length = static_cast<double>(view.box.height),
                    .limit = view.box.height,
                    .to = view.height,
                    .wanted = {view.kept.top, view.kept.top + view.kept.height}},
                   {.length = static_cast<double>(view.box.width),
                    .limit = view.box.width,
                    .to = view.width,
                    .wanted = {view.kept.left, view.kept.left + view.kept.width}});
    const std::int64_t top = view.box.top + resampler.rows().begin, left = view.box.left + resampler.columns().begin;
    const Tensor result = Tensor::empty({view.kept.height, view.kept.width, C}, DType::uint8, Device{});
    resampler.run(image.data<std::uint8_t>() + (top * W + left) * C, W * C, C, result.data<std::uint8_t>());
    return result;
}

void check_image(const char* who, const Tensor& image) {
    RADIAL_CHECK(image.defined() && image.dtype() == DType::uint8 && image.rank() == 3 && image.numel() > 0 &&
                     (image.size(2) == 1 || image.size(2) == 3),
                 "{}: image {}, expected uint8 [H, W, 1] or [H, W, 3] with at least one pixel", who,
                 image.defined() ? "is " + image.str() : "is undefined");
}

/// One axis of `view` for a picture that is decoded at eighths / 8 of its size. `begin` and `length` refer to the full
/// size. Sets `origin` to the decoded pixel that source coordinates are relative to.
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

std::int64_t middle(std::int64_t whole, std::int64_t part) {
    const std::int64_t rest = whole - part, down = rest / 2;
    return down + (rest % 2 != 0 && down % 2 != 0 ? 1 : 0);
}

View evaluation_view(std::int64_t height, std::int64_t width, const EvaluationView& options) {
    const auto [resize, crop] = options;
    RADIAL_CHECK(height >= 1 && width >= 1, "evaluation_view: of {} x {} pixels, expected at least 1 x 1", height,
                 width);
    RADIAL_CHECK(crop >= 1 && crop <= resize,
                 "evaluation_view: cuts {0} x {0} pixels, expected 1 to {1}, the shorter side", crop, resize);
    View view{.box = {0, 0, height, width},
              .height = height <= width ? resize : resize * height / width,
              .width = height <= width ? resize * width / height : resize,
              .kept = {}};
    view.kept = {middle(view.height, crop), middle(view.width, crop), crop, crop};
    return view;
}

void check(const RandomRegionOptions& options) {
    RADIAL_CHECK(options.min_area > 0 && options.min_area <= options.max_area && options.max_area <= 1,
                 "random_region: areas are {} to {}, expected parts of 1 in ascending order", options.min_area,
                 options.max_area);
    RADIAL_CHECK(options.min_aspect > 0 && options.min_aspect <= options.max_aspect,
                 "random_region: aspects are {} to {}, expected above 0 in ascending order", options.min_aspect,
                 options.max_aspect);
}

Region random_region(std::int64_t height, std::int64_t width, const RandomRegionOptions& options, Generator& random) {
    constexpr int tries = 10;
    for (int i = 0; i < tries; ++i) {
        const double area = between(options.min_area, options.max_area, random) * static_cast<double>(height) *
                            static_cast<double>(width);
        const double aspect = std::exp(between(std::log(options.min_aspect), std::log(options.max_aspect), random));
        Region region{.height = std::llround(std::sqrt(area / aspect)),
                      .width = std::llround(std::sqrt(area * aspect))};
        if (region.height < 1 || region.width < 1 || region.height > height || region.width > width) continue;
        region.top = up_to(height - region.height, random);
        region.left = up_to(width - region.width, random);
        return region;
    }
    return middle_region(height, width, options);
}

View resized(const Region& region, std::int64_t height, std::int64_t width) {
    return {region, height, width, {0, 0, height, width}};
}

void Resampler::weigh(const Axis& axis, Weights& weights) {
    const double scale = axis.length / static_cast<double>(axis.to);
    const double support = std::max(scale, 1.0);
    weights.stride = 2 * static_cast<std::int64_t>(std::ceil(support)) + 1;
    weights.values.resize(static_cast<std::size_t>(weights.stride * axis.wanted.size()));
    weights.sources.clear();
    std::int32_t* values = weights.values.data();
    for (std::int64_t target = axis.wanted.begin; target < axis.wanted.end; ++target, values += weights.stride) {
        const double center = axis.offset + (static_cast<double>(target) + 0.5) * scale;
        const Range sources{
            std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(center - support + 0.5)), 0),
            std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(center + support + 0.5)), axis.limit)};
        exact_.clear();
        double sum = 0;
        for (std::int64_t source = sources.begin; source < sources.end; ++source) {
            const double distance = std::abs((static_cast<double>(source) - center + 0.5) * (1.0 / support));
            exact_.push_back(std::max(1.0 - distance, 0.0));
            sum += exact_.back();
        }
        std::transform(exact_.begin(), exact_.end(), values, [sum](double weight) {
            return static_cast<std::int32_t>(std::floor(weight / sum * (1 << precision) + 0.5));
        });
        weights.sources.push_back(sources);
    }
}

void Resampler::plan(const Axis& down, const Axis& across) {
    const double height = down.length - static_cast<double>(down.to),
                 width = across.length - static_cast<double>(across.to);
    rows_first_ = height > 0 && height > 2 * width;
    weigh(down, down_);
    weigh(across, across_);
}

/// Resizes one row with `across_`. C is 1, or 4 for RGB: the fourth byte belongs to the next pixel, and its sum is
/// discarded.
template <int C>
void Resampler::narrow(const std::uint8_t* row, std::uint8_t* to) const {
    constexpr int kept = C == 4 ? 3 : C;
    const std::int64_t begin = columns().begin;
    const std::int32_t* weights = across_.values.data();
    for (const Range sources : across_.sources) {
        const std::uint8_t* from = row + (sources.begin - begin) * kept;
        std::int32_t sums[C];
        std::fill_n(sums, C, half);
        for (std::int64_t i = 0; i < sources.size(); ++i, from += kept) {
#pragma omp simd
            for (int c = 0; c < C; ++c) sums[c] += weights[i] * from[c];
        }
        for (int c = 0; c < kept; ++c) *to++ = to_byte(sums[c]);
        weights += across_.stride;
    }
}

void Resampler::narrow(const std::uint8_t* row, std::int64_t channels, std::uint8_t* to) const {
    channels == 3 ? narrow<4>(row, to) : narrow<1>(row, to);
}

void Resampler::shorten(std::int64_t target, const std::uint8_t* from, std::int64_t stride, std::int64_t length,
                        std::uint8_t* to) {
    const Range sources = down_.sources[static_cast<std::size_t>(target)];
    const std::int32_t* const weights = down_.values.data() + target * down_.stride;
    sums_.resize(static_cast<std::size_t>(length));
    std::int32_t* const sums = sums_.data();
    std::fill_n(sums, length, half);
    for (std::int64_t i = 0; i < sources.size(); ++i) {
        const std::uint8_t* const row = from + (sources.begin - rows().begin + i) * stride;
        const std::int32_t weight = weights[i];
        for (std::int64_t x = 0; x < length; ++x) sums[x] += weight * row[x];
    }
    std::transform(sums, sums + length, to, to_byte);
}

void Resampler::columns_first(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to) {
    const std::int64_t height = rows().size(), length = std::ssize(across_.sources) * channels;
    const std::int64_t bytes = columns().size() * channels;
    narrowed_.resize(static_cast<std::size_t>(height * length));
    for (std::int64_t y = 0; y < height; ++y) {
        std::copy_n(from + y * stride, bytes, row_.data());
        narrow(row_.data(), channels, narrowed_.data() + y * length);
    }
    for (std::int64_t target = 0; target < std::ssize(down_.sources); ++target)
        shorten(target, narrowed_.data(), length, length, to + target * length);
}

void Resampler::rows_first(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to) {
    const std::int64_t length = std::ssize(across_.sources) * channels, bytes = columns().size() * channels;
    for (std::int64_t target = 0; target < std::ssize(down_.sources); ++target) {
        shorten(target, from, stride, bytes, row_.data());
        narrow(row_.data(), channels, to + target * length);
    }
}

void Resampler::run(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to) {
    row_.resize(static_cast<std::size_t>(columns().size() * channels) + 1);  // one extra byte, because RGB pixels are
                                                                             // read as four bytes
    rows_first_ ? rows_first(from, stride, channels, to) : columns_first(from, stride, channels, to);
}

Tensor resize_bilinear(const Tensor& image, std::int64_t height, std::int64_t width) {
    check_image("resize_bilinear", image);
    RADIAL_CHECK(height >= 1 && width >= 1, "resize_bilinear: to {} x {}, expected at least 1 x 1", height, width);
    return resize_part(image, {{0, 0, image.size(0), image.size(1)}, height, width, {0, 0, height, width}});
}

Tensor resize_shorter_side(const Tensor& image, std::int64_t side) {
    check_image("resize_shorter_side", image);
    RADIAL_CHECK(side >= 1, "resize_shorter_side: to {} pixels, expected at least 1", side);
    const View view = evaluation_view(image.size(0), image.size(1), {.resize = side, .crop = 1});
    return resize_bilinear(image, view.height, view.width);
}

Tensor center_crop(const Tensor& image, std::int64_t height, std::int64_t width) {
    check_image("center_crop", image);
    RADIAL_CHECK(height >= 1 && width >= 1 && height <= image.size(0) && width <= image.size(1),
                 "center_crop: {} x {} of an image of {} x {}", height, width, image.size(0), image.size(1));
    const std::int64_t C = image.size(2);
    const std::int64_t top = middle(image.size(0), height), left = middle(image.size(1), width);
    const Tensor result = Tensor::empty({height, width, C}, DType::uint8, Device{});
    std::uint8_t* to = result.data<std::uint8_t>();
    for (std::int64_t y = top; y < top + height; ++y)
        to = std::copy_n(image.data<std::uint8_t>() + (y * image.size(1) + left) * C, width * C, to);
    return result;
}

Tensor evaluation_view(const Tensor& image, std::int64_t side, std::int64_t crop) {
    check_image("evaluation_view", image);
    const Tensor view =
        resize_part(image, evaluation_view(image.size(0), image.size(1), {.resize = side, .crop = crop}));
    const std::int64_t C = view.size(2), pixels = crop * crop;
    const Tensor planes = Tensor::empty({C, crop, crop}, DType::uint8, Device{});
    const std::uint8_t* const from = view.data<std::uint8_t>();
    std::uint8_t* to = planes.data<std::uint8_t>();
    for (std::int64_t c = 0; c < C; ++c)
        for (std::int64_t i = 0; i < pixels; ++i) *to++ = from[i * C + c];
    return planes;
}

/// Plans the resampling. Returns the size in eighths at which the picture should be decoded.
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

/// Resizes pixels to the view. `from` is the first pixel that the plan needs; with `as_rgb`, grey is converted to RGB.
std::span<const std::uint8_t> ViewReader::finish(const View& view, const std::uint8_t* from, std::int64_t stride,
                                                 std::int64_t channels, bool as_rgb) {
    const std::int64_t pixels = view.kept.height * view.kept.width, all = as_rgb ? 3 : channels;
    view_.resize(static_cast<std::size_t>(pixels * all));
    resampler_.run(from, stride, channels, view_.data());
    if (channels != all)  // backwards, so that no grey pixel is overwritten before it has been read
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
