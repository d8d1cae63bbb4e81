// The image transforms, and the mixing of a batch.
#include "radial/data/images/transforms.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace radial::data {
namespace {

/// A uniformly distributed integer from 0 to `last`.
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

/// Shifts the image by (down, right). Pixels that are shifted beyond its edge are lost; vacated pixels become zero.
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

/// Shifts the image by (down, right). Vacated pixels are reflected at the image's edge.
void shift_reflecting(Image& image, std::int64_t down, std::int64_t right) {
    const std::vector<float> old = image.pixels;
    const std::int64_t height = image.height, width = image.width;
    for (std::int64_t c = 0; c < image.channels; ++c) {
        for (std::int64_t y = 0; y < height; ++y) {
            const float* const from = old.data() + (c * height + reflected(y - down, height)) * width;
            const std::span<float> to = image.row(c, y);
            for (std::int64_t x = 0; x < width; ++x)
                to[static_cast<std::size_t>(x)] = from[reflected(x - right, width)];
        }
    }
}

/// A random number from N(0, 1), by the Box-Muller method.
double normal(Generator& random) {
    const double u = 1.0 - random.uniform(), v = random.uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

void check_probability(const char* who, double probability) {
    RADIAL_CHECK(probability >= 0 && probability <= 1, "{}: probability is {}, expected 0 to 1", who, probability);
}

constexpr std::array<float, 3> grey_weights = {0.299F, 0.587F, 0.114F};

/// Pointers to the colour planes of an image. For grey images, all of them point to the same plane.
struct Planes {
    explicit Planes(Image& image)
        : pixels(image.height * image.width),
          red(image.pixels.data()),
          green(image.channels == 3 ? red + pixels : red),
          blue(image.channels == 3 ? green + pixels : red) {}

    float grey(std::int64_t i) const {
        return grey_weights[0] * red[i] + grey_weights[1] * green[i] + grey_weights[2] * blue[i];
    }

    std::int64_t pixels;
    float *red, *green, *blue;
};

/// factor * value + (1 - factor) * other, limited to [0, 1].
float mixed(float value, float other, float factor) {
    return std::clamp(factor * value + (1 - factor) * other, 0.0F, 1.0F);
}

void change_brightness(Image& image, float factor) {
    for (float& value : image.pixels) value = mixed(value, 0, factor);
}

void change_contrast(Image& image, float factor) {
    const Planes planes(image);
    double sum = 0;
    for (std::int64_t i = 0; i < planes.pixels; ++i) sum += planes.grey(i);
    const auto mean = static_cast<float>(sum / static_cast<double>(planes.pixels));
    for (float& value : image.pixels) value = mixed(value, mean, factor);
}

void change_saturation(Image& image, float factor) {
    const Planes planes(image);
    for (std::int64_t i = 0; i < planes.pixels; ++i) {
        const float grey = planes.grey(i);
        for (float* const plane : {planes.red, planes.green, planes.blue}) plane[i] = mixed(plane[i], grey, factor);
    }
}

/// The hue in sixths of the colour circle, from red through yellow and green.
float hue_of(float red, float green, float blue, float highest, float range) {
    if (range == 0) return 0;
    if (highest == red) return (green - blue) / range;
    return highest == green ? (blue - red) / range + 2 : (red - green) / range + 4;
}

/// Rotates the hue of each pixel by the fraction `turn` of the circle. The largest and smallest channel values of a
/// pixel are preserved.
void change_hue(Image& image, float turn) {
    const Planes planes(image);
    for (std::int64_t i = 0; i < planes.pixels; ++i) {
        float &red = planes.red[i], &green = planes.green[i], &blue = planes.blue[i];
        const auto [lowest, highest] = std::minmax({red, green, blue});
        const float range = highest - lowest, hue = hue_of(red, green, blue, highest, range) + 6 * turn;
        // A channel has its highest value within a sixth of the circle from its own hue, its lowest within a sixth of
        // the opposite hue, and is linear in between.
        const auto channel = [=, top = highest](float own) {
            const float away = std::abs(std::remainder(hue - own, 6.0F));
            return top - range * std::clamp(away - 1, 0.0F, 1.0F);
        };
        red = channel(0);
        green = channel(2);
        blue = channel(4);
    }
}

void check_amount(const char* what, double amount, double most) {
    RADIAL_CHECK(amount >= 0 && amount <= most, "color_jitter: {} is {}, expected 0 to {}", what, amount, most);
}

/// A random number from Gamma(shape, 1) (Marsaglia & Tsang 2000, "A simple method for generating gamma variables").
double gamma(double shape, Generator& random) {
    if (shape < 1) {
        const double boost = std::pow(1.0 - random.uniform(), 1 / shape);
        return boost * gamma(shape + 1, random);
    }
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = normal(random), root = 1 + c * x, v = root * root * root;
        const double u = 1.0 - random.uniform();
        if (v > 0 && std::log(u) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
    }
}

double beta(double alpha, Generator& random) {
    const double x = gamma(alpha, random), y = gamma(alpha, random);
    // For a very small alpha both x and y can underflow; the distribution is then concentrated at 0 and 1.
    return x + y > 0 ? x / (x + y) : static_cast<double>(random.below(2));
}

void blend(const Tensor& images, const Tensor& old, std::span<const std::int64_t> partners, float share) {
    const std::int64_t pixels = images.numel() / images.size(0);
    float* to = images.data<float>();
    for (const std::int64_t partner : partners) {
        const float* const other = old.data<float>() + partner * pixels;
        for (std::int64_t i = 0; i < pixels; ++i) to[i] = share * to[i] + (1 - share) * other[i];
        to += pixels;
    }
}

/// Copies a rectangle at a random position, the same for all images, from each partner to its image (CutMix). Returns
/// the fraction of an image that is kept.
double cut(const Tensor& images, const Tensor& old, std::span<const std::int64_t> partners, double share,
           Generator& random) {
    const std::int64_t planes = images.size(1), height = images.size(2), width = images.size(3);
    const double side = std::sqrt(1 - share);
    const auto stretch = [&](std::int64_t whole) {
        const auto center = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(whole)));
        const auto half = static_cast<std::int64_t>(static_cast<double>(whole) * side) / 2;
        return std::pair{std::max<std::int64_t>(center - half, 0), std::min(center + half, whole)};
    };
    const auto [top, bottom] = stretch(height);
    const auto [left, right] = stretch(width);
    for (std::size_t i = 0; i < partners.size(); ++i)
        for (std::int64_t plane = 0; plane < planes; ++plane)
            for (std::int64_t y = top; y < bottom; ++y) {
                const auto place = [&, c = plane, row = y, l = left](std::int64_t image) {
                    return ((image * planes + c) * height + row) * width + l;
                };
                std::copy_n(old.data<float>() + place(partners[i]), right - left,
                            images.data<float>() + place(static_cast<std::int64_t>(i)));
            }
    return 1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(height * width);
}

}  // namespace

Transform random_crop(std::int64_t padding, Border border) {
    RADIAL_CHECK(padding >= 0, "random_crop: padding is {}, expected at least 0", padding);
    return [padding, border](Image& image, Generator& random) {
        RADIAL_CHECK(border == Border::zero || padding < std::min(image.height, image.width),
                     "random_crop: an image of {} x {} cannot be reflected by a padding of {}", image.height,
                     image.width, padding);
        // The position of the window in the padded image determines the shift of the image.
        const std::int64_t top = up_to(2 * padding, random), left = up_to(2 * padding, random);
        if (top == padding && left == padding) return;
        (border == Border::zero ? shift : shift_reflecting)(image, padding - top, padding - left);
    };
}

Transform random_flip(double probability) {
    check_probability("random_flip", probability);
    return [probability](Image& image, Generator& random) {
        if (random.uniform() < probability) mirror(image);
    };
}

void mirror(Image& image) {
    for_each_row(image, {0, 0, image.height, image.width},
                 [](std::span<float> row) { std::reverse(row.begin(), row.end()); });
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
                std::generate(row.begin(), row.end(), [&] { return static_cast<float>(normal(random)); });
            });
            return;
        }
    };
}

Transform color_jitter(const ColorJitterOptions& options) {
    constexpr double most = 100;
    check_amount("brightness", options.brightness, most);
    check_amount("contrast", options.contrast, most);
    check_amount("saturation", options.saturation, most);
    check_amount("hue", options.hue, 0.5);
    return [options](Image& image, Generator& random) {
        const auto factor = [&](double amount) {
            const double low = std::max(1 - amount, 0.0);
            return static_cast<float>(low + (1 + amount - low) * random.uniform());
        };
        const bool colored = image.channels == 3;
        for (const std::int64_t part : permutation(4, random)) {
            if (part == 0 && options.brightness > 0) change_brightness(image, factor(options.brightness));
            if (part == 1 && options.contrast > 0) change_contrast(image, factor(options.contrast));
            if (part == 2 && options.saturation > 0 && colored) change_saturation(image, factor(options.saturation));
            if (part == 3 && options.hue > 0 && colored)
                change_hue(image, static_cast<float>(options.hue * (2 * random.uniform() - 1)));
        }
    };
}

void check(const MixingOptions& options) {
    RADIAL_CHECK(options.mixup >= 0 && std::isfinite(options.mixup),
                 "mixing: mixup's alpha is {}, expected a finite number of at least 0", options.mixup);
    RADIAL_CHECK(options.cutmix >= 0 && std::isfinite(options.cutmix),
                 "mixing: CutMix's alpha is {}, expected a finite number of at least 0", options.cutmix);
}

double mix(const Tensor& images, std::span<const std::int64_t> partners, const MixingOptions& options,
           Generator& random) {
    const bool both = options.mixup > 0 && options.cutmix > 0;
    const bool cuts = both ? random.below(2) == 1 : options.cutmix > 0;
    const double share = beta(cuts ? options.cutmix : options.mixup, random);
    const Tensor old = images.clone();
    if (cuts) return cut(images, old, partners, share, random);
    blend(images, old, partners, static_cast<float>(share));
    return share;
}

}  // namespace radial::data
