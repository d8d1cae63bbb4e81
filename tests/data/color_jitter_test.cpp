// Tests of colour jitter: each of its operations alone.
#include "../catch.h"
#include "../expect.h"
#include "radial/data/images/transforms.h"

#include <algorithm>
#include <cmath>

using namespace radial;
using namespace radial::data;
using namespace radial::test;

namespace {

/// An image of 2 x 2 pixels, red, orange, grey and a dull blue, in three planes.
Image colors() { return {3, 2, 2, {1, 1, 0.5F, 0.2F, 0, 0.5F, 0.5F, 0.3F, 0, 0, 0.5F, 0.6F}}; }

Image after(const ColorJitterOptions& options, std::uint64_t seed) {
    Image image = colors();
    Generator random(seed);
    color_jitter(options)(image, random);
    return image;
}

float grey(const Image& image, std::size_t i) {
    return 0.299F * image.pixels[i] + 0.587F * image.pixels[4 + i] + 0.114F * image.pixels[8 + i];
}

}  // namespace

TEST_CASE("brightness multiplies, and stops at white", "[host][data][transforms][jitter]") {
    bool brighter = false, darker = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Image image = after({.brightness = 0.5}, seed);
        const float factor = image.pixels[2] / 0.5F;
        CHECK((factor >= 0.5F && factor <= 1.5F));
        for (std::size_t i = 0; i < 12; ++i)
            CHECK(image.pixels[i] == Approx(std::min(colors().pixels[i] * factor, 1.0F)).margin(1e-6));
        (factor > 1 ? brighter : darker) = true;
    }
    CHECK((brighter && darker));
}

TEST_CASE("contrast keeps the mean grey level, and saturation the grey level of each pixel",
          "[host][data][transforms][jitter]") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Image flat = after({.contrast = 0.4}, seed), dull = after({.saturation = 0.9}, seed);
        const Image before = colors();
        float mean = 0;
        for (std::size_t i = 0; i < 4; ++i) mean += grey(before, i) / 4;
        const float factor = (flat.pixels[11] - mean) / (0.6F - mean);
        CHECK((factor >= 0.6F - 1e-4F && factor <= 1.4F + 1e-4F));
        CHECK(flat.pixels[3] == Approx(factor * (0.2F - mean) + mean).margin(1e-5));
        CHECK(grey(dull, 3) == Approx(grey(before, 3)).margin(1e-5));
        CHECK(dull.pixels[2] == Approx(0.5F));  // a grey pixel does not change
        CHECK(dull.pixels[3] != before.pixels[3]);
    }
}

TEST_CASE("hue turns colours around the circle", "[host][data][transforms][jitter]") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Image image = after({.hue = 0.5}, seed);
        // This is red with its hue shifted by the fraction t of the circle: towards yellow and green for t > 0, towards
        // magenta and blue for t < 0.
        const float red = image.pixels[0], green = image.pixels[4], blue = image.pixels[8];
        CHECK(std::max({red, green, blue}) == Approx(1).margin(1e-5));
        CHECK(std::min({red, green, blue}) == Approx(0).margin(1e-5));
        CHECK(image.pixels[2] == Approx(0.5F));
        const auto [low, high] = std::minmax({image.pixels[3], image.pixels[7], image.pixels[11]});
        CHECK(high == Approx(0.6F).margin(1e-5));
        CHECK(low == Approx(0.2F).margin(1e-5));
    }
    Generator probe(3);
    permutation(4, probe);
    const float turn = 0.5F * (2 * probe.uniform() - 1);
    const Image image = after({.hue = 0.5}, 3);
    const float sixths = 6 * turn;  // the hue of the red pixel, in sixths of the circle
    const float green = std::clamp(2 - std::abs(std::remainder(sixths - 2, 6.0F)), 0.0F, 1.0F);
    const float blue = std::clamp(2 - std::abs(std::remainder(sixths + 2, 6.0F)), 0.0F, 1.0F);
    CHECK(image.pixels[4] == Approx(green).margin(1e-5));
    CHECK(image.pixels[8] == Approx(blue).margin(1e-5));
}

TEST_CASE("an amount of 0 changes nothing, and one that makes no sense is refused",
          "[host][data][transforms][jitter]") {
    CHECK(differences(after({}, 1).pixels, colors().pixels) == "");
    CHECK(error_of([] { color_jitter({.contrast = -1}); }) == "color_jitter: contrast is -1, expected 0 to 100");
    CHECK(error_of([] { color_jitter({.hue = 0.6}); }) == "color_jitter: hue is 0.6, expected 0 to 0.5");
    Image image{1, 1, 2, {0.25F, 0.75F}};
    Generator random(1);
    color_jitter({.saturation = 1, .hue = 0.5})(image, random);
    CHECK(image.pixels == std::vector<float>{0.25F, 0.75F});
}
