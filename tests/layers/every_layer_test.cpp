// Tests that apply to all layers: shapes, names and initial values of parameters, exact error messages.
#include "../core/random_inputs.h"
#include "../expect.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/dense_block.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"

#include <algorithm>
#include <cmath>

namespace radial::test {
namespace {

std::vector<std::string> names_of(const std::vector<NamedTensor>& tensors) {
    std::vector<std::string> names;
    names.reserve(tensors.size());
    for (const auto& entry : tensors) names.push_back(entry.name);
    return names;
}

double largest_magnitude(const Tensor& x) {
    double largest = 0;
    for (const double value : x.to_vector<double>()) largest = std::max(largest, std::abs(value));
    return largest;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("each layer names itself and both shapes when its input does not fit") {
    const Tensor image = Tensor::zeros({2, 3, 8, 8}), matrix = Tensor::zeros({2, 3}), vector = Tensor::zeros({3});
    CHECK(error_of([&] { Conv2d({.in_channels = 16, .out_channels = 4}).forward(image); }) ==
          "Conv2d: input has 3 channels, weight expects 16");
    CHECK(error_of([&] { Conv2d({.in_channels = 3}).forward(matrix); }) ==
          "Conv2d: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([&] { Linear({.in_features = 7, .out_features = 2}).forward(matrix); }) ==
          "Linear: input has 3 features, weight expects 7");
    CHECK(error_of([&] { Linear({.in_features = 3}).forward(image); }) ==
          "Linear: input has 8 features, weight expects 3");
    CHECK(error_of([&] { BatchNorm2d({.channels = 4}).forward(image); }) ==
          "BatchNorm2d: input has 3 channels, weight expects 4");
    CHECK(error_of([&] { BatchNorm2d({.channels = 3}).forward(matrix); }) ==
          "BatchNorm2d: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([&] { PReLU({.channels = 4}).forward(image); }) == "PReLU: input has 3 channels, weight expects 4");
    CHECK(error_of([&] { PReLU({.channels = 3}).forward(vector); }) ==
          "PReLU: input has shape [3], expected [N, 3, ...]");
    CHECK(error_of([&] { MaxPool2d().forward(matrix); }) == "MaxPool2d: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([&] { AvgPool2d().forward(matrix); }) == "AvgPool2d: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([&] { GlobalAvgPool().forward(matrix); }) ==
          "GlobalAvgPool: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([&] { Flatten().forward(vector); }) == "Flatten: input has shape [3], expected [N, ...]");
    CHECK(error_of([&] {
              Sequential chain;
              chain.add<ReLU>().add<Linear>(LinearOptions{.in_features = 7});
              chain.forward(matrix);
          }) == "Linear: input has 3 features, weight expects 7");
}

TEST_CASE("layers that take any shape refuse integers and undefined tensors") {
    const Tensor integers = Tensor::zeros({2, 3}, DType::int64);
    CHECK(error_of([&] { ReLU().forward(integers); }) == "ReLU: input is int64[2, 3], expected float32 or float64");
    CHECK(error_of([&] { SiLU().forward(integers); }) == "SiLU: input is int64[2, 3], expected float32 or float64");
    CHECK(error_of([&] { GELU().forward(integers); }) == "GELU: input is int64[2, 3], expected float32 or float64");
    CHECK(error_of([&] { Sigmoid().forward(Tensor()); }) == "Sigmoid: input is undefined");
    CHECK(error_of([&] { Tanh().forward(Tensor()); }) == "Tanh: input is undefined");
    CHECK(error_of([&] { Dropout().forward(Tensor()); }) == "Dropout: input is undefined");
}

TEST_CASE("layers refuse options that mean nothing") {
    CHECK(error_of([] { Conv2d({.in_channels = 6, .out_channels = 4, .groups = 4}); }) ==
          "Conv2d: groups 4 does not divide in_channels 6 and out_channels 4");
    CHECK(error_of([] { Conv2d({.kernel = {3, 0}}); }) == "Conv2d: kernel is 3 x 0, expected at least 1 x 1");
    CHECK(error_of([] { Linear({.in_features = 0}); }) ==
          "Linear: in_features 0 and out_features 1 must each be at least 1");
    CHECK(error_of([] { BatchNorm2d({.channels = 0}); }) == "BatchNorm2d: channels is 0, expected at least 1");
    CHECK(error_of([] { PReLU({.channels = 0}); }) == "PReLU: channels is 0, expected at least 1");
    CHECK(error_of([] { MaxPool2d({.window = 2, .padding = 2}); }) ==
          "MaxPool2d: padding is 2 x 2, expected 0 to half the window 2 x 2");
    CHECK(error_of([] { AvgPool2d({.window = 0}); }) == "AvgPool2d: window is 0 x 0, expected at least 1 x 1");
    CHECK(error_of([] { Dropout({.p = 1.0}); }) == "Dropout: p is 1, expected at least 0 and below 1");
    CHECK(error_of([] { Sequential().add(nullptr); }) == "Sequential: layer 0 is null");
}

TEST_CASE("output extents follow kernel, stride, padding and dilation") {
    const Tensor x = Tensor::zeros({2, 6, 9, 11});
    const Conv2dOptions wide{.in_channels = 6, .out_channels = 4, .kernel = {3, 5}, .stride = {2, 1}, .padding = 2};
    CHECK(Conv2d(wide).forward(x).shape() == Shape{2, 4, 6, 11});
    CHECK(Conv2d({.in_channels = 6, .out_channels = 6, .dilation = 2, .groups = 6}).forward(x).shape() ==
          Shape{2, 6, 5, 7});
    CHECK(MaxPool2d().forward(x).shape() == Shape{2, 6, 4, 5});
    CHECK(AvgPool2d({.window = 3, .stride = Size2d(2), .padding = 1}).forward(x).shape() == Shape{2, 6, 5, 6});
    CHECK(GlobalAvgPool().forward(x).shape() == Shape{2, 6});
    CHECK(Flatten().forward(x).shape() == Shape{2, 594});
}

TEST_CASE("parameters and buffers are named as PyTorch names them") {
    CHECK(names_of(Conv2d({}).state()) == Names{"weight", "bias"});
    CHECK(names_of(Conv2d({.bias = false}).state()) == Names{"weight"});
    CHECK(names_of(Linear({}).state()) == Names{"weight", "bias"});
    CHECK(names_of(PReLU().state()) == Names{"weight"});
    const BatchNorm2d norm({.channels = 2});
    CHECK(names_of(norm.named_parameters()) == Names{"weight", "bias"});
    CHECK(names_of(norm.named_buffers()) == Names{"running_mean", "running_var"});
    const BatchNorm2d unscaled({.channels = 2, .scale = false});
    CHECK(names_of(unscaled.named_parameters()) == Names{"bias"});
    CHECK(names_of(unscaled.named_buffers()) == Names{"weight", "running_mean", "running_var"});
}

TEST_CASE("a batch norm without a scale is one whose scale stays 1") {
    RandomInputs random(91);
    const Tensor x = random.tensor({3, 2, 4, 5}, -2, 2, DType::float32);
    BatchNorm2d scaled({.channels = 2}), unscaled({.channels = 2, .scale = false});
    const Tensor expected = scaled.forward(x), found = unscaled.forward(x);
    CHECK(found.to_vector<float>() == expected.to_vector<float>());
    sum(found * x).backward();
    sum(expected * x).backward();
    CHECK(unscaled.bias().grad().to_vector<float>() == scaled.bias().grad().to_vector<float>());
    CHECK_FALSE(unscaled.weight().requires_grad());
}

TEST_CASE("first weights fill plus and minus one over the root of fan_in") {
    manual_seed(3);
    const Conv2d conv({.in_channels = 8, .out_channels = 32, .kernel = 5, .groups = 2});
    const Linear linear_layer({.in_features = 64, .out_features = 50});
    for (const auto& [name, tensor] : conv.named_parameters()) {
        CHECK(largest_magnitude(tensor) <= 0.1);
        CHECK(largest_magnitude(tensor) > 0.08);
    }
    for (const auto& [name, tensor] : linear_layer.named_parameters()) {
        CHECK(largest_magnitude(tensor) <= 0.125);
        CHECK(largest_magnitude(tensor) > 0.1);
    }
}

TEST_CASE("the layers of the larger networks say what does not fit", "[layers]") {
    const Tensor image = Tensor::zeros({2, 3, 4, 4}), matrix = Tensor::zeros({2, 3});
    CHECK(error_of([&] { SqueezeExcite({.channels = 4}).forward(image); }) ==
          "SqueezeExcite: input has 3 channels, weight expects 4");
    CHECK(error_of([&] { SqueezeExcite({.channels = 3}).forward(matrix); }) ==
          "SqueezeExcite: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([&] { SqueezeExcite({.channels = 3, .reduced = 0}); }) ==
          "SqueezeExcite: channels 3 and reduced 0 must each be at least 1");
    CHECK(error_of([&] { DropConnect({.p = 1}); }) == "DropConnect: p is 1, expected at least 0 and below 1");
    CHECK(error_of([&] { DropConnect().forward(matrix); }) ==
          "DropConnect: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([&] { DenseBlock({.in_channels = 4}).forward(image); }) ==
          "DenseBlock: input has 3 channels, weight expects 4");
    CHECK(error_of([&] { DenseBlock({.layers = 0}); }) ==
          "DenseBlock: in_channels 1, layers 0 and growth 12 must each be at least 1, bottleneck 0 at least 0");
    CHECK(error_of([&] { DenseBlock({.dropout = 1}); }) == "DenseBlock: dropout is 1, expected at least 0 and below 1");
}

}  // namespace radial::test
