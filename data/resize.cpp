// The separable triangle filter, in fixed point.
#include "radial/data/resize.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace radial::data {
namespace {

/// Bits after the point: with 8 before it and 2 for what overshoots, 32.
constexpr int precision = 22;
constexpr std::int32_t half = 1 << (precision - 1);

/// A stretch of rows or columns.
struct Range {
    std::int64_t begin = 0, end = 0;
    std::int64_t size() const { return end - begin; }
};

/// Which source pixels each target pixel is a mean of, and with what weights.
struct Weights {
    std::vector<Range> sources;        ///< of each target pixel
    std::vector<std::int32_t> values;  ///< `stride` for each target pixel, as many as its sources used
    std::int64_t stride = 0;

    const std::int32_t* of(std::int64_t target) const { return values.data() + target * stride; }
};

/// The weights of the target pixels `wanted` when `from` pixels become `to`.
Weights triangle_weights(std::int64_t from, std::int64_t to, Range wanted) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double support = std::max(scale, 1.0);
    Weights weights;
    weights.stride = 2 * static_cast<std::int64_t>(std::ceil(support)) + 1;
    weights.values.resize(static_cast<std::size_t>(weights.stride * wanted.size()));
    std::vector<double> exact;
    for (std::int64_t target = wanted.begin; target < wanted.end; ++target) {
        const double center = (static_cast<double>(target) + 0.5) * scale;
        const Range sources{
            std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(center - support + 0.5)), 0),
            std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(center + support + 0.5)), from)};
        exact.clear();
        double sum = 0;
        for (std::int64_t source = sources.begin; source < sources.end; ++source) {
            const double distance = std::abs((static_cast<double>(source) - center + 0.5) * (1.0 / support));
            exact.push_back(std::max(1.0 - distance, 0.0));
            sum += exact.back();
        }
        std::int32_t* value = weights.values.data() + weights.stride * (target - wanted.begin);
        for (const double weight : exact)
            *value++ = static_cast<std::int32_t>(std::floor(weight / sum * (1 << precision) + 0.5));
        weights.sources.push_back(sources);
    }
    return weights;
}

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> precision, 0, 255)); }

/// One row of C channels through `weights`.
template <int C>
void resize_row(const std::uint8_t* row, const Weights& weights, std::uint8_t* to) {
    for (std::size_t x = 0; x < weights.sources.size(); ++x) {
        const Range sources = weights.sources[x];
        const std::int32_t* weight = weights.of(static_cast<std::int64_t>(x));
        std::int32_t sums[C];
        std::fill_n(sums, C, half);
        for (const std::uint8_t* from = row + sources.begin * C; from != row + sources.end * C; from += C, ++weight)
            for (int c = 0; c < C; ++c) sums[c] += *weight * from[c];
        for (int c = 0; c < C; ++c) *to++ = to_byte(sums[c]);
    }
}

/// The part `rows` x `columns` of the image resized to [height, width].
Tensor resize_part(const Tensor& image, std::int64_t height, std::int64_t width, Range rows, Range columns) {
    const std::int64_t H = image.size(0), W = image.size(1), C = image.size(2);
    const Weights across = triangle_weights(W, width, columns), down = triangle_weights(H, height, rows);
    const Range needed{down.sources.front().begin, down.sources.back().end};
    const std::int64_t length = columns.size() * C;
    const std::uint8_t* const source = image.data<std::uint8_t>();

    std::vector<std::uint8_t> narrowed(static_cast<std::size_t>(needed.size() * length));
    for (std::int64_t y = needed.begin; y < needed.end; ++y) {
        std::uint8_t* const to = narrowed.data() + (y - needed.begin) * length;
        C == 3 ? resize_row<3>(source + y * W * C, across, to) : resize_row<1>(source + y * W * C, across, to);
    }

    const Tensor result = Tensor::empty({rows.size(), columns.size(), C}, DType::uint8, Device{});
    std::vector<std::int32_t> sums(static_cast<std::size_t>(length));
    for (std::int64_t y = 0; y < rows.size(); ++y) {
        std::fill(sums.begin(), sums.end(), half);
        const Range sources = down.sources[static_cast<std::size_t>(y)];
        const std::int32_t* weight = down.of(y);
        for (std::int64_t from = sources.begin; from < sources.end; ++from, ++weight) {
            const std::uint8_t* const row = narrowed.data() + (from - needed.begin) * length;
            for (std::int64_t i = 0; i < length; ++i) sums[static_cast<std::size_t>(i)] += *weight * row[i];
        }
        std::transform(sums.begin(), sums.end(), result.data<std::uint8_t>() + y * length, to_byte);
    }
    return result;
}

void check_image(const char* who, const Tensor& image) {
    RADIAL_CHECK(image.defined() && image.dtype() == DType::uint8 && image.rank() == 3 && image.numel() > 0 &&
                     (image.size(2) == 1 || image.size(2) == 3),
                 "{}: image {}, expected uint8 [H, W, 1] or [H, W, 3] with at least one pixel", who,
                 image.defined() ? "is " + image.str() : "is undefined");
}

/// Height and width after the shorter side became `side`.
std::pair<std::int64_t, std::int64_t> size_with_shorter_side(const Tensor& image, std::int64_t side) {
    const std::int64_t H = image.size(0), W = image.size(1);
    return H <= W ? std::pair{side, side * W / H} : std::pair{side * H / W, side};
}

/// The middle `part` of `whole` pixels.
Range middle(std::int64_t whole, std::int64_t part) {
    const std::int64_t rest = whole - part, down = rest / 2;
    const std::int64_t begin = down + (rest % 2 != 0 && down % 2 != 0 ? 1 : 0);
    return {begin, begin + part};
}

}  // namespace

Tensor resize_bilinear(const Tensor& image, std::int64_t height, std::int64_t width) {
    check_image("resize_bilinear", image);
    RADIAL_CHECK(height >= 1 && width >= 1, "resize_bilinear: to {} x {}, expected at least 1 x 1", height, width);
    return resize_part(image, height, width, {0, height}, {0, width});
}

Tensor resize_shorter_side(const Tensor& image, std::int64_t side) {
    check_image("resize_shorter_side", image);
    RADIAL_CHECK(side >= 1, "resize_shorter_side: to {} pixels, expected at least 1", side);
    const auto [height, width] = size_with_shorter_side(image, side);
    return resize_bilinear(image, height, width);
}

Tensor center_crop(const Tensor& image, std::int64_t height, std::int64_t width) {
    check_image("center_crop", image);
    RADIAL_CHECK(height >= 1 && width >= 1 && height <= image.size(0) && width <= image.size(1),
                 "center_crop: {} x {} of an image of {} x {}", height, width, image.size(0), image.size(1));
    const std::int64_t C = image.size(2);
    const Range rows = middle(image.size(0), height), columns = middle(image.size(1), width);
    const Tensor result = Tensor::empty({height, width, C}, DType::uint8, Device{});
    std::uint8_t* to = result.data<std::uint8_t>();
    for (std::int64_t y = rows.begin; y < rows.end; ++y) {
        to = std::copy_n(image.data<std::uint8_t>() + (y * image.size(1) + columns.begin) * C, width * C, to);
    }
    return result;
}

Tensor evaluation_view(const Tensor& image, std::int64_t side, std::int64_t crop) {
    check_image("evaluation_view", image);
    RADIAL_CHECK(crop >= 1 && crop <= side,
                 "evaluation_view: cuts {0} x {0} pixels, expected 1 to {1}, the shorter side", crop, side);
    const auto [height, width] = size_with_shorter_side(image, side);
    const Tensor view = resize_part(image, height, width, middle(height, crop), middle(width, crop));
    const std::int64_t C = view.size(2), pixels = crop * crop;
    const Tensor planes = Tensor::empty({C, crop, crop}, DType::uint8, Device{});
    const std::uint8_t* const from = view.data<std::uint8_t>();
    std::uint8_t* to = planes.data<std::uint8_t>();
    for (std::int64_t c = 0; c < C; ++c)
        for (std::int64_t i = 0; i < pixels; ++i) *to++ = from[i * C + c];
    return planes;
}

}  // namespace radial::data
