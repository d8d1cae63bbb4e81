// Tests of the layers that enlarge images, of 1-D convolution, adaptive pooling and embedding: shapes, initial weights,
// messages.
#include "radial/layers/upsample.h"
#include "../expect.h"
#include "radial/core/ops.h"
#include "radial/layers/conv.h"
#include "radial/layers/embedding.h"
#include "radial/layers/sequential.h"

#include <algorithm>
#include <cmath>

namespace radial::test {
namespace {

using Values = std::vector<double>;

double largest_magnitude(const Tensor& x) {
    double largest = 0;
    for (const double value : x.to_vector<double>()) largest = std::max(largest, std::abs(value));
    return largest;
}

}  // namespace

TEST_CASE("layers that enlarge images give the extents that they document", "[layers]") {
    const Tensor x = Tensor::zeros({2, 4, 5, 3});
    CHECK(ConvTranspose2d({.in_channels = 4, .out_channels = 6, .kernel = 4, .stride = 2, .padding = 1})
              .forward(x)
              .shape() == Shape{2, 6, 10, 6});
    CHECK(ConvTranspose2d({.in_channels = 4, .out_channels = 6, .stride = 2, .output_padding = {1, 0}, .groups = 2})
              .forward(x)
              .shape() == Shape{2, 6, 12, 7});
    CHECK(Upsample().forward(x).shape() == Shape{2, 4, 10, 6});
    CHECK(Upsample({.scale = 1.5, .mode = Interpolation::bilinear}).forward(x).shape() == Shape{2, 4, 7, 4});
    CHECK(Upsample({.size = Size2d(3, 8)}).forward(x).shape() == Shape{2, 4, 3, 8});
    CHECK(PixelShuffle().forward(x).shape() == Shape{2, 1, 10, 6});
    CHECK(PixelUnshuffle({.factor = 2}).forward(Tensor::zeros({2, 1, 10, 6})).shape() == Shape{2, 4, 5, 3});
    CHECK(AdaptiveAvgPool2d().forward(x).shape() == Shape{2, 4, 1, 1});
    CHECK(AdaptiveMaxPool2d({.size = {2, 3}}).forward(x).shape() == Shape{2, 4, 2, 3});
    CHECK(Conv1d({.in_channels = 5, .out_channels = 2, .stride = 2}).forward(Tensor::zeros({3, 5, 8})).shape() ==
          Shape{3, 2, 3});
}

TEST_CASE("layers that enlarge images can be added to a chain by their options", "[layers]") {
    Sequential chain;
    chain.add<ConvTranspose2d>({.in_channels = 3, .out_channels = 4, .kernel = 2, .stride = 2});
    chain.add<PixelShuffle>({.factor = 2}).add<Upsample>({.scale = 3}).add<AdaptiveAvgPool2d>({.size = 2});
    CHECK(chain.forward(Tensor::zeros({1, 3, 2, 2})).shape() == Shape{1, 1, 2, 2});
}

TEST_CASE("first weights of a transposed convolution fill plus and minus one over the root of its fan", "[layers]") {
    manual_seed(4);
    const ConvTranspose2d layer({.in_channels = 64, .out_channels = 32, .kernel = 5, .groups = 2});
    for (const auto& [name, tensor] : layer.named_parameters()) {
        CHECK(largest_magnitude(tensor) <= 0.05);  // 1 / sqrt(16 * 5 * 5)
        CHECK(largest_magnitude(tensor) > 0.04);
    }
    CHECK(layer.weight().shape() == Shape{64, 16, 5, 5});
    CHECK(layer.bias().shape() == Shape{32});
}

TEST_CASE("an embedding looks up rows, of integers of any shape", "[layers]") {
    Embedding layer({.rows = 3, .dim = 2});
    layer.weight().detach().copy_(Tensor::from<float>({1, 2, 3, 4, 5, 6}, {3, 2}));
    const Tensor x = Tensor::from<std::int64_t>({2, 0, 2, 1}, {2, 1, 2});
    CHECK(layer.forward(x).shape() == Shape{2, 1, 2, 2});
    CHECK(layer.forward(x).to_vector<double>() == Values{5, 6, 1, 2, 5, 6, 3, 4});
    CHECK(layer.forward(Tensor::zeros({0, 3}, DType::int64)).shape() == Shape{0, 3, 2});
    const Tensor scalar = Tensor::from<std::int64_t>({1}, {1}).view(Shape{});
    CHECK(layer.forward(scalar).to_vector<double>() == Values{3, 4});
}

TEST_CASE("gradients of repeated rows of an embedding are added, and the padding row gets none", "[layers]") {
    Embedding layer({.rows = 4, .dim = 2, .padding_index = 1});
    CHECK(layer.weight().to_vector<double>()[2] == 0);
    CHECK(layer.weight().to_vector<double>()[0] != 0);
    sum(layer.forward(Tensor::from<std::int64_t>({3, 1, 3, 0, 1}, {5}))).backward();
    CHECK(layer.weight().grad().to_vector<double>() == Values{1, 1, 0, 0, 0, 0, 2, 2});
}

TEST_CASE("first weights of an embedding are normally distributed", "[layers]") {
    manual_seed(5);
    const Embedding layer({.rows = 500, .dim = 20});
    const auto values = layer.weight().to_vector<double>();
    double total = 0, squares = 0;
    for (const double value : values) total += value, squares += value * value;
    CHECK(std::abs(total / 1e4) < 0.03);
    CHECK(std::abs(squares / 1e4 - 1) < 0.05);
}

TEST_CASE("layers that enlarge images refuse options and inputs that mean nothing", "[layers]") {
    const Tensor image = Tensor::zeros({2, 3, 4, 4}), matrix = Tensor::zeros({2, 3});
    CHECK(error_of([] { ConvTranspose2d({.stride = 2, .output_padding = 2}); }) ==
          "ConvTranspose2d: output_padding is 2 x 2, expected at least 0 x 0 and below the stride 2 x 2");
    CHECK(error_of([] { ConvTranspose2d({.in_channels = 6, .out_channels = 4, .groups = 4}); }) ==
          "ConvTranspose2d: groups 4 does not divide in_channels 6 and out_channels 4");
    CHECK(error_of([&] { ConvTranspose2d({.in_channels = 4}).forward(image); }) ==
          "ConvTranspose2d: input has 3 channels, weight expects 4");
    CHECK(error_of([&] { ConvTranspose2d({.in_channels = 3}).forward(matrix); }) ==
          "ConvTranspose2d: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([] { Upsample({.scale = 0}); }) == "Upsample: scale is 0, expected a finite number above 0");
    CHECK(error_of([] { Upsample({.size = Size2d(0)}); }) == "Upsample: size is 0 x 0, expected at least 1 x 1");
    CHECK(error_of([] { Upsample({.align_corners = true}); }) ==
          "Upsample: align_corners is for bilinear and bicubic, not for nearest");
    CHECK(error_of([] { PixelShuffle({.factor = 0}); }) == "PixelShuffle: factor is 0, expected at least 1");
    CHECK(error_of([&] { PixelShuffle().forward(image); }) ==
          "pixel_shuffle: input has 3 channels, expected a multiple of 4");
    CHECK(error_of([] {
              AdaptiveAvgPool2d({.size = {1, 0}});
          }) == "AdaptiveAvgPool2d: size is 1 x 0, expected at least 1 x 1");
    CHECK(error_of([] { Conv1d({.kernel = 0}); }) ==
          "Conv1d: kernel 0, stride 1 and dilation 1 must each be at least 1");
    CHECK(error_of([&] { Conv1d({.in_channels = 3}).forward(matrix); }) ==
          "Conv1d: input has shape [2, 3], expected [N, C, L]");
}

TEST_CASE("an embedding refuses options and inputs that mean nothing", "[layers]") {
    CHECK(error_of([] { Embedding({.rows = 0}); }) == "Embedding: rows 0 and dim 1 must each be at least 1");
    CHECK(error_of([] { Embedding({.rows = 3, .padding_index = 3}); }) ==
          "Embedding: padding_index is 3, expected within [0, 3)");
    CHECK(error_of([] { Embedding({.rows = 3}).forward(Tensor::zeros({2})); }) ==
          "Embedding: input is float32[2], expected int64");
    CHECK(error_after([] { Embedding({.rows = 3}).forward(Tensor::from<std::int64_t>({3}, {1})); }) ==
          bad_index("gather_rows: index 3 is outside [0, 3)", 3, 0, 3));
}

}  // namespace radial::test
