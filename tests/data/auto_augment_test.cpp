// Tests of TrivialAugment and RandAugment: operations and magnitudes as in torchvision, and the random draws.
#include "radial/data/images/auto_augment.h"
#include "../expect.h"
#include "../folders.h"
#include "radial/core/io/safetensors.h"

#include <cmath>
#include <map>
#include <set>

namespace radial::test {
namespace {

using data::AutoOperation;
using data::Image;

const TensorFile& recorded() {
    static const TensorFile file = read_safetensors(test_folder() + "/golden/auto_augment.safetensors");
    return file;
}

Image image_of(const Tensor& bytes) {
    Image image{.channels = bytes.size(0), .height = bytes.size(1), .width = bytes.size(2), .pixels = {}};
    for (const std::uint8_t value : bytes.values<std::uint8_t>())
        image.pixels.push_back(static_cast<float>(value) / 255.0F);
    return image;
}

AutoOperation operation_named(std::string_view name) {
    const auto names = words_of(AutoOperation{});
    const auto found = std::ranges::find(names, name);
    REQUIRE(found != names.end());
    return static_cast<AutoOperation>(found - names.begin());
}

/// The largest difference from the recorded bytes, and the share of values that differ.
std::pair<double, double> difference(const Image& image, const Tensor& expected) {
    const auto bytes = expected.values<std::uint8_t>();
    REQUIRE(image.pixels.size() == bytes.size());
    double largest = 0, count = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const double off = std::abs(std::round(255.0 * static_cast<double>(image.pixels[i])) - bytes[i]);
        largest = std::max(largest, off);
        if (off > 0) ++count;
    }
    return {largest, count / static_cast<double>(bytes.size())};
}

Image ramp() {
    Image image{.channels = 3, .height = 8, .width = 8, .pixels = std::vector<float>(192)};
    for (std::size_t i = 0; i < 192; ++i) image.pixels[i] = static_cast<float>(i) / 255.0F;
    return image;
}

}  // namespace

TEST_CASE("the operations of automatic augmentation are torchvision's", "[host][data][transforms][golden]") {
    std::size_t cases = 0;
    for (const auto& [name, expected] : recorded().tensors) {
        if (name.starts_with("image/") || name.starts_with("magnitudes/")) continue;
        INFO(name);
        const std::size_t first = name.find('/'), second = name.find('/', first + 1);
        Image image = image_of(recorded().at("image/" + name.substr(second + 1)));
        apply(operation_named(name.substr(0, first)), std::stod(name.substr(first + 1, second - first - 1)), image);
        const auto [largest, share] = difference(image, expected);
        // A sum that is just below an integer here may be just above it in torchvision.
        CHECK(largest <= 1);
        CHECK(share <= 0.03);
        ++cases;
    }
    CHECK(cases == 4 * 27);
}

TEST_CASE("the magnitudes of automatic augmentation are torchvision's", "[host][data][transforms][golden]") {
    std::size_t cases = 0;
    for (const auto& [name, expected] : recorded().tensors) {
        if (!name.starts_with("magnitudes/")) continue;
        INFO(name);
        const bool trivial = name.starts_with("magnitudes/trivial/");
        const AutoOperation operation = operation_named(name.substr(name.rfind('/') + 1));
        const std::vector<double> magnitudes =
            trivial ? data::trivial_augment_magnitudes(operation) : data::rand_augment_magnitudes(operation, 24, 33);
        const auto wanted = expected.values<double>();
        REQUIRE(magnitudes.size() == 31);
        // torchvision has a single magnitude for an operation that ignores it.
        for (std::size_t i = 0; i < magnitudes.size(); ++i)
            CHECK(magnitudes[i] == Approx(wanted[wanted.size() == 1 ? 0 : i]).margin(1e-5));
        ++cases;
    }
    CHECK(cases == 28);
}

TEST_CASE("TrivialAugment draws many different results, by the generator alone", "[host][data][transforms]") {
    const data::Transform transform = data::trivial_augment();
    std::set<std::vector<float>> results;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Image first = ramp(), second = ramp();
        Generator one(seed), other(seed);
        transform(first, one);
        transform(second, other);
        CHECK(first.pixels == second.pixels);
        CHECK(std::ranges::all_of(first.pixels, [](float value) { return value >= 0 && value <= 1; }));
        results.insert(first.pixels);
    }
    CHECK(results.size() > 60);
}

TEST_CASE("TrivialAugment and RandAugment draw each operation, with both signs and their own magnitudes",
          "[host][data][transforms]") {
    for (const bool trivial : {true, false}) {
        INFO((trivial ? "trivial" : "rand"));
        constexpr std::int64_t level = 21;
        const data::Transform transform =
            trivial ? data::trivial_augment() : data::rand_augment({.operations = 1, .magnitude = level});
        // Every possible result, and the operations and signs that produce it.
        std::map<std::vector<float>, std::set<std::string>> possible;
        const auto names = words_of(AutoOperation{});
        for (std::size_t o = 0; o < names.size(); ++o) {
            const auto operation = static_cast<AutoOperation>(o);
            std::vector<double> magnitudes =
                trivial ? data::trivial_augment_magnitudes(operation) : data::rand_augment_magnitudes(operation, 8, 8);
            if (!trivial) magnitudes = {magnitudes[level]};
            const bool negated = operation >= AutoOperation::shear_x && operation <= AutoOperation::sharpness;
            for (const double sign : {1.0, -1.0}) {
                if (sign < 0 && !negated) continue;
                for (const double magnitude : magnitudes) {
                    Image image = ramp();
                    apply(operation, sign * magnitude, image);
                    possible[image.pixels].insert(fmt::format("{}{}", sign < 0 ? "-" : "+", names[o]));
                }
            }
        }
        std::set<std::string> drawn, expected;
        for (const auto& [pixels, ways] : possible)
            if (ways.size() == 1) expected.insert(*ways.begin());
        for (std::uint64_t seed = 0; seed < 1000; ++seed) {
            Image image = ramp();
            Generator random(seed);
            transform(image, random);
            const auto found = possible.find(image.pixels);
            REQUIRE(found != possible.end());
            if (found->second.size() == 1) drawn.insert(*found->second.begin());
        }
        CHECK(expected.size() > 15);
        CHECK(drawn == expected);
    }
}

TEST_CASE("RandAugment applies as many operations as are asked for", "[host][data][transforms]") {
    // The operations are drawn one after another from the sample's generator.
    const data::Transform one = data::rand_augment({.operations = 1, .magnitude = 20}),
                          two = data::rand_augment({.operations = 2, .magnitude = 20});
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Image first = ramp(), second = ramp();
        Generator random(seed), other(seed);
        one(first, random);
        one(first, random);
        two(second, other);
        CHECK(first.pixels == second.pixels);
    }
}

TEST_CASE("RandAugment says which option is wrong", "[host][data][transforms]") {
    CHECK(error_of([] { data::rand_augment({.operations = 0}); }) == "rand_augment: 0 operations, expected at least 1");
    CHECK(error_of([] { data::rand_augment({.magnitude = 31}); }) == "rand_augment: magnitude is 31, expected 0 to 30");
}

}  // namespace radial::test
