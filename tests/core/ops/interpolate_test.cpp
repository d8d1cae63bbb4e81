// Tests of interpolation, pixel shuffling and unfolding: values by hand, layouts, bfloat16, empty and NaN inputs,
// messages.
#include "radial/core/ops/interpolate.h"
#include "../gradcheck.h"
#include "radial/core/ops/unfold.h"

#include <cmath>
#include <limits>

using namespace radial;
using namespace radial::test;

namespace {

using Values = std::vector<double>;
const std::vector<Interpolation> modes = {Interpolation::nearest, Interpolation::bilinear, Interpolation::bicubic};

}  // namespace

TEST_CASE("bilinear interpolation aligns borders, or the centres of the corner pixels", "[ops]") {
    const Tensor x = Tensor::from<double>({0, 4}, {1, 1, 1, 2});
    CHECK(interpolate2d(x, {.height = 1, .width = 4, .mode = Interpolation::bilinear}).to_vector<double>() ==
          Values{0, 1, 3, 4});
    CHECK(interpolate2d(x, {.height = 1, .width = 5, .mode = Interpolation::bilinear, .align_corners = true})
              .to_vector<double>() == Values{0, 1, 2, 3, 4});
}

TEST_CASE("nearest interpolation repeats pixels", "[ops]") {
    const Tensor x = Tensor::from<double>({1, 2, 3, 4}, {1, 1, 2, 2});
    CHECK(interpolate2d(x, {.scale_h = 1, .scale_w = 2}).to_vector<double>() == Values{1, 1, 2, 2, 3, 3, 4, 4});
    CHECK(interpolate2d(x, {.height = 1, .width = 3}).to_vector<double>() == Values{1, 1, 2});
}

TEST_CASE("a scale rounds the extents down", "[ops]") {
    CHECK(interpolate2d(Tensor::zeros({1, 1, 3, 5}), {.scale_h = 1.5, .scale_w = 0.5}).shape() == Shape{1, 1, 4, 2});
}

TEST_CASE("interpolation leaves a constant as it is, and an image of the same size", "[ops]") {
    RandomInputs random(41);
    for (const Interpolation mode : modes) {
        const Tensor ones = Tensor::full({1, 2, 3, 4}, 1.0, DType::float64);
        for (const double value : interpolate2d(ones, {.height = 7, .width = 2, .mode = mode}).to_vector<double>())
            CHECK(std::abs(value - 1) < 1e-12);
        const Tensor x = random.tensor({2, 3, 4, 5});
        CHECK(interpolate2d(x, {.height = 4, .width = 5, .mode = mode}).to_vector<double>() == x.to_vector<double>());
    }
}

TEST_CASE("interpolation keeps the layout, and its values and gradients do not depend on it", "[ops]") {
    RandomInputs random(42);
    for (const Interpolation mode : modes) {
        const Tensor x = random.tensor({2, 19, 5, 4}), seed = random.tensor({2, 19, 8, 9});
        const auto run = [&](Layout layout) {
            const Tensor leaf = x.to(layout).clone().set_requires_grad();
            const Tensor y = interpolate2d(leaf, {.height = 8, .width = 9, .mode = mode});
            CHECK(y.layout() == layout);
            backward(y, seed);
            return std::pair{y.detach(), leaf.grad()};
        };
        const auto rows = run(Layout::row_major), pixels = run(Layout::channels_last);
        CHECK(relative_difference(rows.first, pixels.first) < 1e-14);
        CHECK(relative_difference(rows.second, pixels.second) < 1e-14);
    }
}

TEST_CASE("interpolation of bfloat16 rounds once", "[ops]") {
    RandomInputs random(43);
    for (const Interpolation mode : modes) {
        for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
            const Tensor x = random.tensor({1, 3, 4, 5}).to(DType::bfloat16).to(layout);
            const InterpolateOptions options{.height = 6, .width = 9, .mode = mode};
            CHECK(relative_difference(interpolate2d(x, options), interpolate2d(x.to(DType::float64), options)) <
                  0x1p-8);
        }
    }
}

TEST_CASE("interpolation works without images or channels", "[ops]") {
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
        CHECK(interpolate2d(Tensor::zeros({0, 3, 4, 5}).to(layout), {.height = 2, .width = 2}).shape() ==
              Shape{0, 3, 2, 2});
        CHECK(interpolate2d(Tensor::zeros({2, 0, 4, 5}).to(layout), {.height = 2, .width = 2}).shape() ==
              Shape{2, 0, 2, 2});
    }
}

TEST_CASE("a NaN spreads to the pixels that are interpolated from it, and to no others", "[ops]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Tensor x = Tensor::from<double>({nan, 1, 1, 1}, {1, 1, 1, 4});
    const auto y = interpolate2d(x, {.height = 1, .width = 8, .mode = Interpolation::bilinear}).to_vector<double>();
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i < 3));
}

TEST_CASE("interpolate2d says what does not fit", "[ops]") {
    const Tensor x = Tensor::zeros({1, 1, 2, 2});
    CHECK(error_of([&] { interpolate2d(x, {}); }) ==
          "interpolate2d: size 0 x 0 and scale 0 x 0 are given, expected one of them");
    CHECK(error_of([&] { interpolate2d(x, {.height = 2, .width = 2, .scale_h = 2, .scale_w = 2}); }) ==
          "interpolate2d: size 2 x 2 and scale 2 x 2 are given, expected one of them");
    CHECK(error_of([&] { interpolate2d(x, {.height = 2}); }) ==
          "interpolate2d: size is 2 x 0, expected at least 1 x 1");
    CHECK(error_of([&] { interpolate2d(x, {.scale_h = 2, .scale_w = -1}); }) ==
          "interpolate2d: scale is 2 x -1, expected finite numbers above 0");
    CHECK(error_of([&] { interpolate2d(x, {.scale_h = 0.25, .scale_w = 1}); }) ==
          "interpolate2d: scale 0.25 makes 2 pixels to 0, expected at least 1");
    CHECK(error_of([&] { interpolate2d(x, {.height = 2, .width = 2, .align_corners = true}); }) ==
          "interpolate2d: align_corners is for bilinear and bicubic, not for nearest");
    CHECK(error_of([&] {
              interpolate2d(Tensor::zeros({1, 1, 0, 2}), {.height = 2, .width = 2});
          }) == "interpolate2d: input [1, 1, 0, 2] has no pixels");
}

TEST_CASE("pixel_shuffle moves channels to pixels, and pixel_unshuffle moves them back", "[ops]") {
    const Tensor x = Tensor::from<double>({1, 2, 3, 4, 5, 6, 7, 8}, {1, 4, 1, 2});
    const Tensor y = pixel_shuffle(x, 2);
    CHECK(y.shape() == Shape{1, 1, 2, 4});
    CHECK(y.to_vector<double>() == Values{1, 3, 2, 4, 5, 7, 6, 8});
    CHECK(pixel_unshuffle(y, 2).to_vector<double>() == x.to_vector<double>());
    CHECK(pixel_shuffle(x.to(Layout::channels_last), 2).layout() == Layout::channels_last);
    CHECK(pixel_shuffle(Tensor::zeros({0, 4, 1, 2}), 2).shape() == Shape{0, 1, 2, 4});
    CHECK(pixel_shuffle(Tensor::zeros({1, 4, 0, 2}), 2).shape() == Shape{1, 1, 0, 4});
}

TEST_CASE("pixel shuffling says what does not fit", "[ops]") {
    const Tensor x = Tensor::zeros({1, 6, 3, 4});
    CHECK(error_of([&] { pixel_shuffle(x, 2); }) == "pixel_shuffle: input has 6 channels, expected a multiple of 4");
    CHECK(error_of([&] { pixel_shuffle(x, 0); }) == "pixel_shuffle: factor is 0, expected at least 1");
    CHECK(error_of([&] { pixel_unshuffle(x, 2); }) ==
          "pixel_unshuffle: input is [1, 6, 3, 4], expected a height and width that are multiples of 2");
}

TEST_CASE("unfold writes windows as columns, and fold adds them to an image", "[ops]") {
    const Tensor x = Tensor::from<double>({1, 2, 3, 4}, {1, 1, 1, 4});
    const Tensor y = unfold(x, {.window_w = 2, .pad_w = 1});
    CHECK(y.shape() == Shape{1, 2, 5});
    CHECK(y.to_vector<double>() == Values{0, 1, 2, 3, 4, 1, 2, 3, 4, 0});
    CHECK(fold(y, 1, 4, {.window_w = 2, .pad_w = 1}).to_vector<double>() == Values{2, 4, 6, 8});
    CHECK(fold(Tensor::zeros({0, 2, 5}), 1, 4, {.window_w = 2, .pad_w = 1}).shape() == Shape{0, 1, 1, 4});
    CHECK(unfold(Tensor::zeros({2, 0, 3, 3}), {}).shape() == Shape{2, 0, 9});
}

TEST_CASE("unfolding says what does not fit", "[ops]") {
    CHECK(error_of([] {
              unfold(Tensor::zeros({1, 2, 3, 3}), {.window_h = 4});
          }) == "unfold: window 4 x 1 does not fit images [1, 2, 3, 3] with padding (0, 0)");
    CHECK(error_of([] {
              unfold(Tensor::zeros({1, 2, 3, 3}), {.stride_h = 0});
          }) == "unfold: window is 1 x 1, stride (0, 1) and dilation (1, 1), expected at least 1");
    CHECK(error_of([] {
              fold(Tensor::zeros({1, 3, 4}), 2, 2, {.window_w = 2});
          }) == "fold: input is [1, 3, 4], expected a multiple of 2 rows");
    CHECK(error_of([] {
              fold(Tensor::zeros({1, 4, 4}), 2, 2, {.window_w = 2});
          }) == "fold: input is [1, 4, 4], expected 2 x 1 columns for a 2 x 2 image");
}
