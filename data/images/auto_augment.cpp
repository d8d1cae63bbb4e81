// The operations of TrivialAugment and RandAugment on 8-bit values.
#include "radial/data/images/auto_augment.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>

namespace radial::data {
namespace {

constexpr std::int64_t levels = 31;  // number of magnitudes of each operation

/// The values of an image, 0 to 255.
class Bytes {
public:
    explicit Bytes(Image& image) : image_(image), values_(image.pixels.size()) {
        for (std::size_t i = 0; i < values_.size(); ++i)
            values_[i] = static_cast<std::uint8_t>(std::lround(std::clamp(image.pixels[i], 0.0F, 1.0F) * 255.0F));
    }
    /// Writes the values back to the image.
    void store() const {
        for (std::size_t i = 0; i < values_.size(); ++i) image_.pixels[i] = static_cast<float>(values_[i]) / 255.0F;
    }

    std::int64_t channels() const { return image_.channels; }
    std::int64_t height() const { return image_.height; }
    std::int64_t width() const { return image_.width; }
    std::span<std::uint8_t> all() { return values_; }
    std::span<std::uint8_t> channel(std::int64_t c) {
        const auto size = static_cast<std::size_t>(height() * width());
        return std::span(values_).subspan(static_cast<std::size_t>(c) * size, size);
    }
    /// The grey value of a pixel: for three channels, 0.2989 R + 0.587 G + 0.114 B rounded down.
    std::uint8_t grey(std::size_t pixel) {
        if (channels() != 3) return channel(0)[pixel];
        const auto value = [&](std::int64_t c) { return static_cast<float>(channel(c)[pixel]); };
        return static_cast<std::uint8_t>(0.2989F * value(0) + 0.587F * value(1) + 0.114F * value(2));
    }

private:
    Image& image_;
    std::vector<std::uint8_t> values_;
};

/// weight * value + (1 - weight) * other, limited to [0, 255] and rounded down.
std::uint8_t blended(std::uint8_t value, float other, float weight) {
    const float sum = weight * static_cast<float>(value) + (1 - weight) * other;
    return static_cast<std::uint8_t>(std::clamp(sum, 0.0F, 255.0F));
}

/// An affine map from the coordinates of a pixel of the result to those of its source, both relative to the image's
/// centre.
struct InverseMap {
    double xx = 1, xy = 0, x = 0;  ///< source column: xx * column + xy * row + x
    double yx = 0, yy = 1, y = 0;
};

void warp(Bytes& image, const InverseMap& map) {
    const std::int64_t height = image.height(), width = image.width();
    const double centre_x = static_cast<double>(width) / 2 - 0.5, centre_y = static_cast<double>(height) / 2 - 0.5;
    for (std::int64_t c = 0; c < image.channels(); ++c) {
        const std::span<std::uint8_t> to = image.channel(c);
        const std::vector<std::uint8_t> from(to.begin(), to.end());
        for (std::int64_t row = 0; row < height; ++row) {
            for (std::int64_t column = 0; column < width; ++column) {
                const double x = static_cast<double>(column) - centre_x, y = static_cast<double>(row) - centre_y;
                // Ties go to the even pixel, as nearbyint() does by default.
                const double sx = std::nearbyint(map.xx * x + map.xy * y + map.x + centre_x);
                const double sy = std::nearbyint(map.yx * x + map.yy * y + map.y + centre_y);
                const bool inside =
                    sx >= 0 && sy >= 0 && sx < static_cast<double>(width) && sy < static_cast<double>(height);
                to[static_cast<std::size_t>(row * width + column)] =
                    inside ? from[static_cast<std::size_t>(sy) * static_cast<std::size_t>(width) +
                                  static_cast<std::size_t>(sx)]
                           : 0;
            }
        }
    }
}

/// The map of a shear. In coordinates relative to the top left corner of the image, the source of (x, y) is
/// (x + amount * y, y) with `along_x`, and (x, y + amount * x) otherwise.
InverseMap shear(bool along_x, double amount, const Bytes& image) {
    const double corner_x = -static_cast<double>(image.width()) / 2;
    const double corner_y = -static_cast<double>(image.height()) / 2;
    if (along_x) return {.xy = amount, .x = -amount * corner_y};
    return {.yx = amount, .y = -amount * corner_x};
}

InverseMap rotation(double degrees) {
    const double angle = degrees * std::numbers::pi / 180, c = std::cos(angle), s = std::sin(angle);
    return {.xx = c, .xy = -s, .yx = s, .yy = c};
}

void blend_with_grey(Bytes& image, float weight) {
    if (image.channels() != 3) return;
    for (std::size_t i = 0; i < image.channel(0).size(); ++i) {
        const auto grey = static_cast<float>(image.grey(i));
        for (std::int64_t c = 0; c < 3; ++c) image.channel(c)[i] = blended(image.channel(c)[i], grey, weight);
    }
}

void blend_with_mean(Bytes& image, float weight) {
    double sum = 0;
    const std::size_t pixels = image.channel(0).size();
    for (std::size_t i = 0; i < pixels; ++i) sum += image.grey(i);
    const auto mean = static_cast<float>(sum / static_cast<double>(pixels));
    for (std::uint8_t& value : image.all()) value = blended(value, mean, weight);
}

/// The mean of a pixel, with weight 5, and its eight neighbours.
float blurred(std::span<const std::uint8_t> plane, std::int64_t width, std::int64_t row, std::int64_t column) {
    std::int64_t sum = 4 * plane[static_cast<std::size_t>(row * width + column)];
    for (std::int64_t y = row - 1; y <= row + 1; ++y)
        for (std::int64_t x = column - 1; x <= column + 1; ++x) sum += plane[static_cast<std::size_t>(y * width + x)];
    return std::nearbyint(static_cast<float>(sum) / 13.0F);
}

void blend_with_blurred(Bytes& image, float weight) {
    const std::int64_t height = image.height(), width = image.width();
    if (height <= 2 || width <= 2) return;
    for (std::int64_t c = 0; c < image.channels(); ++c) {
        const std::span<std::uint8_t> to = image.channel(c);
        const std::vector<std::uint8_t> from(to.begin(), to.end());
        for (std::int64_t row = 0; row < height; ++row) {
            for (std::int64_t column = 0; column < width; ++column) {
                const auto at = static_cast<std::size_t>(row * width + column);
                const bool edge = row == 0 || column == 0 || row == height - 1 || column == width - 1;
                to[at] =
                    blended(from[at], edge ? static_cast<float>(from[at]) : blurred(from, width, row, column), weight);
            }
        }
    }
}

void stretch_contrast(std::span<std::uint8_t> channel) {
    const auto [low, high] = std::ranges::minmax(channel);
    if (low == high) return;
    const float scale = 255.0F / static_cast<float>(high - low);
    for (std::uint8_t& value : channel)
        value = static_cast<std::uint8_t>(std::clamp(static_cast<float>(value - low) * scale, 0.0F, 255.0F));
}

void equalize_histogram(std::span<std::uint8_t> channel) {
    std::array<std::int64_t, 256> counts{};
    for (const std::uint8_t value : channel) ++counts[value];
    const auto last = std::find_if(counts.rbegin(), counts.rend(), [](std::int64_t count) { return count > 0; });
    if (last == counts.rend()) return;
    const std::int64_t step = (std::ssize(channel) - *last) / 255;
    if (step == 0) return;
    std::array<std::uint8_t, 256> table{};
    std::int64_t below = 0;  // number of pixels with a smaller value
    for (std::size_t value = 0; value < table.size(); ++value) {
        const std::int64_t level = value == 0 ? 0 : (below + step / 2) / step;
        table[value] = static_cast<std::uint8_t>(std::min<std::int64_t>(level, 255));
        below += counts[value];
    }
    for (std::uint8_t& value : channel) value = table[value];
}

void apply(AutoOperation operation, double magnitude, Bytes& image) {
    const auto weight = static_cast<float>(1 + magnitude);
    switch (operation) {
        case AutoOperation::identity:
            return;
        case AutoOperation::shear_x:
            return warp(image, shear(true, magnitude, image));
        case AutoOperation::shear_y:
            return warp(image, shear(false, magnitude, image));
        case AutoOperation::translate_x:
            return warp(image, {.x = -std::trunc(magnitude)});
        case AutoOperation::translate_y:
            return warp(image, {.y = -std::trunc(magnitude)});
        case AutoOperation::rotate:
            return warp(image, rotation(magnitude));
        case AutoOperation::brightness:
            for (std::uint8_t& value : image.all()) value = blended(value, 0, weight);
            return;
        case AutoOperation::color:
            return blend_with_grey(image, weight);
        case AutoOperation::contrast:
            return blend_with_mean(image, weight);
        case AutoOperation::sharpness:
            return blend_with_blurred(image, weight);
        case AutoOperation::posterize:
            for (std::uint8_t& value : image.all())
                value = static_cast<std::uint8_t>(value & (0xFF00U >> static_cast<unsigned>(magnitude)));
            return;
        case AutoOperation::solarize:
            for (std::uint8_t& value : image.all()) {
                if (static_cast<double>(value) >= magnitude) value = static_cast<std::uint8_t>(255 - value);
            }
            return;
        case AutoOperation::autocontrast:
            for (std::int64_t c = 0; c < image.channels(); ++c) stretch_contrast(image.channel(c));
            return;
        case AutoOperation::equalize:
            for (std::int64_t c = 0; c < image.channels(); ++c) equalize_histogram(image.channel(c));
            return;
    }
}

/// The largest magnitudes of the operations, which differ between the two methods.
struct Strengths {
    double shear, translate_x, translate_y, rotate, blend;
    std::int64_t bits;  ///< largest number of bits that posterize removes
};

/// The magnitude of an operation at a level from 0, the weakest, to 30, the strongest, before its sign is drawn.
double magnitude_at(AutoOperation operation, std::int64_t level, const Strengths& most) {
    const double share = static_cast<double>(level) / static_cast<double>(levels - 1);
    switch (operation) {
        case AutoOperation::shear_x:
        case AutoOperation::shear_y:
            return most.shear * share;
        case AutoOperation::translate_x:
            return most.translate_x * share;
        case AutoOperation::translate_y:
            return most.translate_y * share;
        case AutoOperation::rotate:
            return most.rotate * share;
        case AutoOperation::brightness:
        case AutoOperation::color:
        case AutoOperation::contrast:
        case AutoOperation::sharpness:
            return most.blend * share;
        case AutoOperation::posterize:
            return 8 - std::nearbyint(static_cast<double>(most.bits) * share);
        case AutoOperation::solarize:
            return 255 * (1 - share);
        case AutoOperation::identity:
        case AutoOperation::autocontrast:
        case AutoOperation::equalize:
            return 0;
    }
    throw Error("auto_augment: unknown operation");
}

constexpr Strengths trivial_strengths{
    .shear = 0.99, .translate_x = 32, .translate_y = 32, .rotate = 135, .blend = 0.99, .bits = 6};

Strengths rand_strengths(std::int64_t height, std::int64_t width) {
    constexpr double shift = 150.0 / 331;
    return {.shear = 0.3,
            .translate_x = shift * static_cast<double>(width),
            .translate_y = shift * static_cast<double>(height),
            .rotate = 30,
            .blend = 0.9,
            .bits = 4};
}

std::vector<double> magnitudes_of(AutoOperation operation, const Strengths& most) {
    std::vector<double> magnitudes;
    magnitudes.reserve(levels);
    for (std::int64_t level = 0; level < levels; ++level) magnitudes.push_back(magnitude_at(operation, level, most));
    return magnitudes;
}

/// Whether the magnitude is negated half of the time.
bool is_signed(AutoOperation operation) {
    return operation >= AutoOperation::shear_x && operation <= AutoOperation::sharpness;
}

/// Applies a random operation at `level`. If is_signed(), the sign of its magnitude is random too.
void apply_random(std::int64_t level, const Strengths& most, Bytes& image, Generator& random) {
    const auto operation = static_cast<AutoOperation>(random.below(words_of(AutoOperation{}).size()));
    double magnitude = magnitude_at(operation, level, most);
    if (is_signed(operation) && random.below(2) == 1) magnitude = -magnitude;
    apply(operation, magnitude, image);
}

}  // namespace

void apply(AutoOperation operation, double magnitude, Image& image) {
    Bytes bytes(image);
    apply(operation, magnitude, bytes);
    bytes.store();
}

std::vector<double> trivial_augment_magnitudes(AutoOperation operation) {
    return magnitudes_of(operation, trivial_strengths);
}

std::vector<double> rand_augment_magnitudes(AutoOperation operation, std::int64_t height, std::int64_t width) {
    return magnitudes_of(operation, rand_strengths(height, width));
}

Transform trivial_augment() {
    return [](Image& image, Generator& random) {
        Bytes bytes(image);
        apply_random(static_cast<std::int64_t>(random.below(levels)), trivial_strengths, bytes, random);
        bytes.store();
    };
}

Transform rand_augment(const RandAugmentOptions& options) {
    RADIAL_CHECK(options.operations >= 1, "rand_augment: {} operations, expected at least 1", options.operations);
    RADIAL_CHECK(options.magnitude >= 0 && options.magnitude < levels,
                 "rand_augment: magnitude is {}, expected 0 to {}", options.magnitude, levels - 1);
    return [options](Image& image, Generator& random) {
        const Strengths most = rand_strengths(image.height, image.width);
        Bytes bytes(image);
        for (std::int64_t i = 0; i < options.operations; ++i) apply_random(options.magnitude, most, bytes, random);
        bytes.store();
    };
}

}  // namespace radial::data
