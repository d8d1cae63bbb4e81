// Brightness, contrast, saturation and hue.
#include "radial/core/util/error.h"
#include "radial/data/transforms.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace radial::data {
namespace {

constexpr std::array<float, 3> grey_weights = {0.299F, 0.587F, 0.114F};

/// The planes of an image, and what is to be done with a pixel of all of them.
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

/// factor * value + (1 - factor) * other, kept in [0, 1].
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

/// Hue in sixths of the circle, from red by yellow and green.
float hue_of(float red, float green, float blue, float highest, float range) {
    if (range == 0) return 0;
    if (highest == red) return (green - blue) / range;
    return highest == green ? (blue - red) / range + 2 : (red - green) / range + 4;
}

/// Turns each colour around the circle of hues by `turn` of it, keeping the largest and smallest of its three values.
void change_hue(Image& image, float turn) {
    const Planes planes(image);
    for (std::int64_t i = 0; i < planes.pixels; ++i) {
        float &red = planes.red[i], &green = planes.green[i], &blue = planes.blue[i];
        const auto [lowest, highest] = std::minmax({red, green, blue});
        const float range = highest - lowest, hue = hue_of(red, green, blue, highest, range) + 6 * turn;
        // A channel is highest for the two sixths around its own hue, lowest for those opposite, and linear between.
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

}  // namespace

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

}  // namespace radial::data
