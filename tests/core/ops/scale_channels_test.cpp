// Tests of scaling channels: gradients, values in both layouts, overwriting, messages.
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/ops/kernels/scale.h"

using namespace radial;
using namespace radial::test;

namespace {

const std::vector<Shape> images = {{1, 1, 1, 1}, {2, 3, 5, 3}, {1, 16, 2, 3}, {3, 70, 9, 8}};

Tensor scaled(const std::vector<Tensor>& in) { return scale_channels(in[0], in[1]); }

}  // namespace

TEST_CASE("gradients of scaling channels agree with differences", "[core][scale]") {
    RandomInputs random(61);
    for (const Shape& image : images) {
        for (const std::int64_t width : {image[1], std::int64_t{1}}) {
            INFO(image.str() << " by " << width);
            CHECK(gradient_problem(scaled, {random.tensor(image), random.tensor({image[0], width})}) == "");
        }
    }
}

TEST_CASE("each channel of each image is multiplied by its own number, in either layout", "[core][scale]") {
    RandomInputs random(62);
    const Tensor x = random.tensor({2, 3, 2, 2}), s = random.tensor({2, 3});
    const auto values = x.to_vector<double>(), factors = s.to_vector<double>();
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
        const auto y = scale_channels(x.to(layout), s).to_vector<double>();
        for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == values[i] * factors[i / 4]);
    }
}

TEST_CASE("scaling channels in bfloat16 is float32's, rounded", "[core][scale]") {
    RandomInputs random(63);
    for (const Shape& image : images)
        for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
            const std::vector<Tensor> inputs{random.tensor(image).to(layout), random.tensor({image[0], image[1]})};
            CHECK(bfloat16_problem(scaled, inputs) == "");
        }
}

TEST_CASE("the sums over pixels keep their digits over large images", "[core][scale]") {
    const std::int64_t side = 300;
    const Tensor x = Tensor::full({1, 2, side, side}, 0.1).to(Layout::channels_last);
    const Tensor s = Tensor::full({1, 2}, 1).set_requires_grad();
    sum(scale_channels(x, s)).backward();
    for (const double g : s.grad().to_vector<double>())
        CHECK(g == Approx(static_cast<double>(side * side) * static_cast<double>(0.1F)).epsilon(1e-6));
}

TEST_CASE("scaling overwrites a temporary where nobody wants its elements again", "[core][scale]") {
    const Tensor s = Tensor::full({1, 2}, 3);
    Tensor temporary = Tensor::full({1, 2, 2, 2}, 2);
    const void* const address = temporary.raw();
    CHECK(scale_channels(std::move(temporary), s).raw() == address);
    Tensor kept = Tensor::full({1, 2, 2, 2}, 2);
    const void* const kept_address = kept.raw();
    const Tensor learned = s.clone().set_requires_grad();
    const Tensor y = scale_channels(std::move(kept), learned);
    CHECK(y.raw() != kept_address);
    sum(y).backward();
    CHECK(learned.grad().to_vector<double>() == std::vector<double>{8, 8});
}

TEST_CASE("the sum for many lanes is the sum for few", "[core][scale]") {
    // Calls the device's kernels directly, with two images of three channels and five pixels.
    RandomInputs random(64);
    const auto of = [&](const Shape& shape) { return random.tensor(shape, -1, 1).to_vector<double>(); };
    const std::vector<double> x = of({30}), dy = of({30}), s = of({6});
    std::vector<double> dx(30), ds(6), other_dx(30), other_ds(6, 0.0);
    const kernels::ScalePixelsBackward<double> few{x.data(), dy.data(), s.data(), dx.data(), ds.data(), 3, 5, 1};
    for (std::int64_t image = 0; image < 2; ++image) few(kernels::SerialTeam{}, image);
    const kernels::ScalePixelBackward<double> many{x.data(), dy.data(), s.data(), other_dx.data(), 3, 5};
    const kernels::StoreFactor<double> store{other_ds.data()};
    for (std::int64_t column = 0; column < 6; ++column) {
        double total = 0;
        for (std::int64_t pixel = 0; pixel < 5; ++pixel) total += many(pixel, column);
        store(column, total);
    }
    CHECK(differences(dx, other_dx) == "");
    for (std::size_t i = 0; i < ds.size(); ++i) CHECK(ds[i] == Approx(other_ds[i]));
}

TEST_CASE("scaling what does not fit says what it is", "[core][scale]") {
    const Tensor x = Tensor::zeros({2, 3, 4, 4});
    CHECK(error_of([&] {
              scale_channels(x, Tensor::zeros({2, 4}));
          }) == "scale_channels: scale is [2, 4], expected [2, 3] or [2, 1] for input [2, 3, 4, 4]");
    CHECK(error_of([&] { scale_channels(x, Tensor::zeros({3})); }) ==
          "scale_channels: scale is [3], expected [2, 3] or [2, 1] for input [2, 3, 4, 4]");
    CHECK(error_of([&] {
              scale_channels(x, Tensor::zeros({2, 3}, DType::float64));
          }) == "scale_channels: scale is float64[2, 3], expected float32");
    CHECK(error_of([&] {
              scale_channels(Tensor::zeros({2, 3}), Tensor::zeros({2, 3}));
          }) == "scale_channels: input is [2, 3], expected [N, C, H, W]");
}
