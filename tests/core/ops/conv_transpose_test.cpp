// Tests of transposed convolution, 1-D convolution and adaptive pooling: values by hand, empty and NaN inputs,
// messages.
#include "../../expect.h"
#include "../gradcheck.h"
#include "../random_inputs.h"
#include "radial/core/ops.h"

#include <cmath>
#include <limits>

using namespace radial;
using namespace radial::test;

namespace {

using Values = std::vector<double>;

/// 1, 2, 3, ... in float32.
Tensor counting(const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
    return Tensor::from(values, shape);
}

}  // namespace

TEST_CASE("a transposed convolution adds a multiple of the kernel for each pixel", "[ops]") {
    const Tensor x = Tensor::from<float>({1, 10}, {1, 1, 1, 2}), w = counting({1, 1, 2, 2});
    CHECK(conv_transpose2d(x, w).to_vector<double>() == Values{1, 12, 20, 3, 34, 40});
    CHECK(conv_transpose2d(x, w, {}, {.stride_w = 2}).to_vector<double>() == Values{1, 2, 10, 20, 3, 4, 30, 40});
}

TEST_CASE("padding removes the border of a transposed convolution, output padding adds to its end", "[ops]") {
    const Tensor x = Tensor::from<float>({1, 10}, {1, 1, 1, 2}), w = counting({1, 1, 1, 3});
    CHECK(conv_transpose2d(x, w, {}, {.stride_w = 2, .pad_w = 1}).to_vector<double>() == Values{2, 13, 20});
    const Tensor bias = Tensor::from<float>({5}, {1});
    CHECK(conv_transpose2d(x, w, bias, {.stride_w = 3, .output_pad_w = 2}).to_vector<double>() ==
          Values{6, 7, 8, 15, 25, 35, 5, 5});
}

TEST_CASE("conv_transpose2d is the adjoint of conv2d", "[ops]") {
    RandomInputs random(31);
    const ConvGeometry g{.stride_h = 2, .stride_w = 1, .pad_h = 1, .pad_w = 2, .dilation_w = 2, .groups = 2};
    const Tensor w = random.tensor({6, 2, 3, 3});
    Tensor x = random.tensor({2, 4, 7, 6}).set_requires_grad();
    const Tensor y = conv2d(x, w, {}, g), seed = random.tensor(y.shape());
    backward(y, seed);
    const Tensor found =
        conv_transpose2d(seed, w, {}, {.stride_h = 2, .pad_h = 1, .pad_w = 2, .dilation_w = 2, .groups = 2});
    CHECK(relative_difference(found, x.grad()) < 1e-12);
}

TEST_CASE("a transposed convolution of bfloat16 keeps a float32 weight's and bias's type in the gradients", "[ops]") {
    RandomInputs random(32);
    const Tensor x = random.tensor({2, 3, 4, 5}).to(DType::bfloat16).set_requires_grad();
    const Tensor w = random.tensor({3, 4, 3, 3}, -1, 1, DType::float32).set_requires_grad();
    const Tensor b = random.tensor({4}, -1, 1, DType::float32).set_requires_grad();
    const Tensor y = conv_transpose2d(x, w, b, {.stride_h = 2, .stride_w = 2});
    CHECK(y.dtype() == DType::bfloat16);
    const Tensor expected = conv_transpose2d(x.detach().to(DType::float64), w.detach().to(DType::float64),
                                             b.detach().to(DType::float64), {.stride_h = 2, .stride_w = 2});
    CHECK(relative_difference(y.detach(), expected) < 0.02);
    backward(y, Tensor::full(y.shape(), 1, DType::bfloat16));
    CHECK(x.grad().dtype() == DType::bfloat16);
    CHECK(w.grad().dtype() == DType::float32);
    CHECK(b.grad().to_vector<double>() == Values(4, 2 * 9 * 11));
}

TEST_CASE("a NaN spreads to the pixels that a transposed convolution adds it to", "[ops]") {
    for (const DType dtype : {DType::float32, DType::float64}) {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        const Tensor x = Tensor::from<double>({1, nan, 1}, {1, 1, 1, 3}).to(dtype);
        const auto y = conv_transpose2d(x, Tensor::full({1, 1, 1, 2}, 1, dtype)).to_vector<double>();
        CHECK(y[0] == 1);
        CHECK(std::isnan(y[1]));
        CHECK(std::isnan(y[2]));
        CHECK(y[3] == 1);
    }
}

TEST_CASE("conv_transpose2d says what does not fit", "[ops]") {
    const Tensor x = Tensor::zeros({1, 4, 3, 3}), w = Tensor::zeros({4, 2, 3, 3});
    CHECK(error_of([&] {
              conv_transpose2d(x, Tensor::zeros({3, 2, 3, 3}));
          }) == "conv_transpose2d: input has 4 channels, weight expects 3");
    CHECK(error_of([&] { conv_transpose2d(x, w, {}, {.groups = 3}); }) ==
          "conv_transpose2d: groups is 3, expected a divisor of the 4 input channels");
    CHECK(error_of([&] { conv_transpose2d(x, w, {}, {.stride_h = 2, .output_pad_h = 2}); }) ==
          "conv_transpose2d: output padding is (2, 0), expected at least 0 and below the stride (2, 1)");
    CHECK(error_of([&] { conv_transpose2d(x, w, Tensor::zeros({3})); }) ==
          "conv_transpose2d: bias is [3], expected [2]");
    CHECK(error_of([&] { conv_transpose2d(x, w, {}, {.pad_h = 3}); }) ==
          "conv_transpose2d: the result of input [1, 4, 3, 3] and kernel 3 x 3 would have -1 x 5 pixels");
    CHECK(error_of([&] {
              conv_transpose2d(Tensor::zeros({0, 4, 3, 3}), w);
          }) == "conv_transpose2d: input [0, 4, 3, 3] or weight [4, 2, 3, 3] is empty");
}

TEST_CASE("conv1d gives the values of its definition", "[ops]") {
    const Tensor x = counting({1, 1, 5}), w = Tensor::from<float>({1, 0, -2}, {1, 1, 3});
    CHECK(conv1d(x, w).to_vector<double>() == Values{-5, -6, -7});
    CHECK(conv1d(x, w, Tensor::from<float>({1}, {1}), {.stride = 2, .pad = 1}).to_vector<double>() ==
          Values{-3, -5, 5});
    CHECK(conv1d(x, w, {}, {.dilation = 2}).shape() == Shape{1, 1, 1});
}

TEST_CASE("conv1d says what does not fit", "[ops]") {
    const Tensor x = Tensor::zeros({1, 4, 5}), w = Tensor::zeros({2, 4, 3});
    CHECK(error_of([&] { conv1d(Tensor::zeros({4, 5}), w); }) == "conv1d: input is [4, 5], expected [N, C, L]");
    CHECK(error_of([&] { conv1d(x, Tensor::zeros({2, 3, 3})); }) == "conv1d: input has 4 channels, weight expects 3");
    CHECK(error_of([&] { conv1d(x, w, {}, {.dilation = 3}); }) ==
          "conv1d: kernel of length 3 does not fit input [1, 4, 5] with padding 0");
}

TEST_CASE("adaptive pooling divides an image into windows that may overlap", "[ops]") {
    const Tensor x = counting({1, 1, 1, 5});
    CHECK(adaptive_avg_pool2d(x, 1, 3).to_vector<double>() == Values{1.5, 3, 4.5});
    CHECK(adaptive_max_pool2d(x, 1, 3).to_vector<double>() == Values{2, 4, 5});
    CHECK(adaptive_avg_pool2d(x, 2, 1).to_vector<double>() == Values{3, 3});
}

TEST_CASE("adaptive pooling to one pixel is pooling of the whole image, in either layout", "[ops]") {
    const Tensor x = RandomInputs(5).distinct({3, 20, 4, 5}, DType::float32).to(default_device());
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
        const Tensor image = x.to(layout).clone().set_requires_grad();
        const Tensor mean = adaptive_avg_pool2d(image, 1, 1), largest = adaptive_max_pool2d(image, 1, 1);
        CHECK(relative_difference(mean, reshape(global_avg_pool(x), {3, 20, 1, 1})) < 1e-6);
        CHECK(relative_difference(largest, max_pool2d(x, {.window_h = 4, .window_w = 5})) == 0);
        backward(sum(mean));
        CHECK(relative_difference(image.grad(), Tensor::full(x.shape(), 0.05)) < 1e-6);
    }
}

TEST_CASE("adaptive pooling keeps the layout and works without images or channels", "[ops]") {
    const Tensor x = Tensor::zeros({2, 3, 4, 5});
    for (auto* const pool : {&adaptive_avg_pool2d, &adaptive_max_pool2d}) {
        CHECK((*pool)(x.to(Layout::channels_last), 2, 2).layout() == Layout::channels_last);
        CHECK((*pool)(x, 2, 2).layout() == Layout::row_major);
        CHECK((*pool)(Tensor::zeros({0, 3, 4, 5}), 2, 2).shape() == Shape{0, 3, 2, 2});
        CHECK((*pool)(Tensor::zeros({2, 0, 4, 5}).to(Layout::channels_last), 2, 2).shape() == Shape{2, 0, 2, 2});
    }
}

TEST_CASE("a NaN wins an adaptive maximum, and the first of equal pixels gets the gradient", "[ops]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(adaptive_max_pool2d(Tensor::from<double>({1, nan, 2}, {1, 1, 1, 3}), 1, 1).item()));
    const Tensor x = Tensor::full({1, 1, 2, 2}, -std::numeric_limits<double>::infinity()).set_requires_grad();
    backward(adaptive_max_pool2d(x, 1, 1), Tensor::full({1, 1, 1, 1}, 3));
    CHECK(x.grad().to_vector<double>() == Values{3, 0, 0, 0});
}

TEST_CASE("adaptive pooling says what does not fit", "[ops]") {
    CHECK(error_of([] {
              adaptive_avg_pool2d(Tensor::zeros({1, 2, 3, 3}), 0, 2);
          }) == "adaptive_avg_pool2d: size is 0 x 2, expected at least 1 x 1");
    CHECK(error_of([] {
              adaptive_max_pool2d(Tensor::zeros({1, 2, 0, 3}), 1, 2);
          }) == "adaptive_max_pool2d: input [1, 2, 0, 3] has 0 pixels, expected 1 to 2^31 - 1");
}
