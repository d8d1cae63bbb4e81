// The transforms themselves.
#include "radial/data/transforms.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace radial::data {
namespace {

/// 0 .. last, each equally likely.
std::int64_t up_to(std::int64_t last, Generator& random) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last) + 1));
}

double between(double low, double high, Generator& random) { return low + (high - low) * random.uniform(); }

/// A window of an image: rows top .. bottom - 1, columns left .. right - 1.
struct Window {
    std::int64_t top, left, bottom, right;
};

/// Calls `change` with each row of each channel in the window.
template <class F>
void for_each_row(Image& image, const Window& window, F&& change) {
    for (std::int64_t c = 0; c < image.channels; ++c)
        for (std::int64_t y = window.top; y < window.bottom; ++y)
            change(image.row(c, y).subspan(static_cast<std::size_t>(window.left),
                                           static_cast<std::size_t>(window.right - window.left)));
}

/// Moves the image by (down, right), dropping what leaves it, with zeros where it has left.
void shift(Image& image, std::int64_t down, std::int64_t right) {
    const std::vector<float> old = std::exchange(image.pixels, std::vector<float>(image.pixels.size(), 0.0F));
    const std::int64_t height = image.height, width = image.width;
    const std::int64_t kept = width - std::abs(right);
    if (kept <= 0) return;
    for (std::int64_t c = 0; c < image.channels; ++c) {
        for (std::int64_t y = std::max<std::int64_t>(down, 0); y < std::min(height, height + down); ++y) {
            const float* const from = old.data() + (c * height + y - down) * width + std::max<std::int64_t>(-right, 0);
            std::copy_n(from, kept, image.row(c, y).data() + std::max<std::int64_t>(right, 0));
        }
    }
}

/// A number of N(0, 1), by Box and Muller.
float normal(Generator& random) {
    const double u = 1.0 - random.uniform(), v = random.uniform();
    return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
}

void check_probability(const char* who, double probability) {
    RADIAL_CHECK(probability >= 0 && probability <= 1, "{}: probability is {}, expected 0 to 1", who, probability);
}

}  // namespace

Transform random_crop(std::int64_t padding) {
    RADIAL_CHECK(padding >= 0, "random_crop: padding is {}, expected at least 0", padding);
    return [padding](Image& image, Generator& random) {
        // The window's place in the padded image says how far the image moves.
        const std::int64_t top = up_to(2 * padding, random), left = up_to(2 * padding, random);
        if (top != padding || left != padding) shift(image, padding - top, padding - left);
    };
}

Transform random_flip(double probability) {
    check_probability("random_flip", probability);
    return [probability](Image& image, Generator& random) {
        if (random.uniform() >= probability) return;
        for_each_row(image, {0, 0, image.height, image.width},
                     [](std::span<float> row) { std::reverse(row.begin(), row.end()); });
    };
}

Transform cutout(std::int64_t size) {
    RADIAL_CHECK(size >= 1, "cutout: size is {}, expected at least 1", size);
    return [size](Image& image, Generator& random) {
        const std::int64_t top = up_to(image.height - 1, random) - size / 2;
        const std::int64_t left = up_to(image.width - 1, random) - size / 2;
        const Window hole{std::max<std::int64_t>(top, 0), std::max<std::int64_t>(left, 0),
                          std::min(top + size, image.height), std::min(left + size, image.width)};
        for_each_row(image, hole, [](std::span<float> row) { std::fill(row.begin(), row.end(), 0.0F); });
    };
}

Transform random_erasing(const RandomErasingOptions& options) {
    check_probability("random_erasing", options.probability);
    RADIAL_CHECK(options.min_area > 0 && options.min_area <= options.max_area && options.max_area <= 1,
                 "random_erasing: areas are {} to {}, expected parts of 1 in ascending order", options.min_area,
                 options.max_area);
    RADIAL_CHECK(options.min_aspect > 0 && options.min_aspect <= 1,
                 "random_erasing: smallest aspect is {}, expected above 0 and at most 1", options.min_aspect);
    return [options](Image& image, Generator& random) {
        if (random.uniform() >= options.probability) return;
        const double steepest = -std::log(options.min_aspect);
        constexpr int tries = 10;
        for (int i = 0; i < tries; ++i) {
            const double area =
                between(options.min_area, options.max_area, random) * static_cast<double>(image.height * image.width);
            const double aspect = std::exp(between(-steepest, steepest, random));
            const auto height = static_cast<std::int64_t>(std::lround(std::sqrt(area * aspect)));
            const auto width = static_cast<std::int64_t>(std::lround(std::sqrt(area / aspect)));
            if (height < 1 || width < 1 || height > image.height || width > image.width) continue;
            const std::int64_t top = up_to(image.height - height, random), left = up_to(image.width - width, random);
            for_each_row(image, {top, left, top + height, left + width}, [&](std::span<float> row) {
                std::generate(row.begin(), row.end(), [&] { return normal(random); });
            });
            return;
        }
    };
}

}  // namespace radial::data
