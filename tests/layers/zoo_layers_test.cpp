// Squeeze-and-excitation, drop-connect and dense blocks: gradients, randomness, names, exact error messages.
#include "../core/gradcheck.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/dense_block.h"

#include <algorithm>

namespace radial::test {
namespace {

std::vector<std::string> names_of(const Module& module) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : module.state()) names.push_back(name);
    return names;
}

/// The sum of each image of [N, ...].
std::vector<double> image_sums(const Tensor& x) { return sum(x, {1, 2, 3}).to_vector<double>(); }

}  // namespace

TEST_CASE("gradients of squeeze-and-excitation agree with differences", "[layers][squeeze-excite]") {
    manual_seed(4);
    SqueezeExcite layer({.channels = 6, .reduced = 2});
    layer.to(DType::float64);
    RandomInputs random(71);
    const std::vector<NamedTensor> state = layer.state();
    std::vector<Tensor> inputs{random.tensor({2, 6, 3, 5})};
    for (const auto& [name, tensor] : state) inputs.push_back(random.tensor(tensor.shape()));
    // The layer's own arithmetic on other parameters: what forward() computes, with the weights as arguments.
    const TensorFunction f = [](const std::vector<Tensor>& in) {
        const Tensor middle = silu(linear(global_avg_pool(in[0]), reshape(in[1], {2, 6}), in[2]));
        return scale_channels(in[0], sigmoid(linear(middle, reshape(in[3], {6, 2}), in[4])));
    };
    CHECK(gradient_problem(f, inputs) == "");
    for (std::size_t i = 0; i < state.size(); ++i) state[i].tensor.copy_(inputs[i + 1]);
    const Tensor x = inputs[0].clone().set_requires_grad();
    const Tensor y = layer.forward(x), expected = f(inputs);
    CHECK(relative_difference(y, expected) < 1e-12);
    sum(square(y)).backward();
    std::vector<Tensor> leaves;
    for (const Tensor& input : inputs) leaves.push_back(input.clone().set_requires_grad());
    sum(square(f(leaves))).backward();
    CHECK(relative_difference(x.grad(), leaves[0].grad()) < 1e-12);
    for (std::size_t i = 0; i < state.size(); ++i)
        CHECK(relative_difference(state[i].tensor.grad(), leaves[i + 1].grad()) < 1e-12);
}

TEST_CASE("squeeze-and-excitation has two convolutions with a bias", "[layers][squeeze-excite]") {
    const SqueezeExcite layer({.channels = 6, .reduced = 2});
    CHECK(names_of(layer) ==
          std::vector<std::string>{"conv_reduce.weight", "conv_reduce.bias", "conv_expand.weight", "conv_expand.bias"});
    CHECK(layer.parameters()[0].shape() == Shape{2, 6, 1, 1});
    CHECK(layer.parameters()[2].shape() == Shape{6, 2, 1, 1});
}

TEST_CASE("drop-connect zeroes whole images with probability p and scales the others", "[layers][drop-connect]") {
    manual_seed(5);
    DropConnect layer({.p = 0.25});
    const Tensor x = Tensor::full({4000, 2, 2, 1}, 1);
    const std::vector<double> sums = image_sums(layer.forward(x));
    const auto dropped = std::count(sums.begin(), sums.end(), 0.0);
    CHECK(dropped > 880);
    CHECK(dropped < 1120);
    CHECK(std::all_of(sums.begin(), sums.end(), [](double s) { return s == 0 || s == Approx(4 / 0.75); }));
    CHECK(image_sums(layer.forward(x)) != sums);
    manual_seed(5);
    CHECK(image_sums(layer.forward(x)) == sums);
    layer.eval();
    CHECK(layer.forward(x).impl() == x.impl());
    CHECK(DropConnect({.p = 0}).forward(x).impl() == x.impl());
}

TEST_CASE("drop-connect drops the same images in either layout, and their gradients", "[layers][drop-connect]") {
    DropConnect layer({.p = 0.5});
    RandomInputs random(72);
    const Tensor values = random.tensor({40, 3, 2, 2}, 0.5, 1);
    manual_seed(6);
    const Tensor x = values.clone().set_requires_grad();
    const Tensor y = layer.forward(x);
    manual_seed(6);
    CHECK(differences(layer.forward(values.to(Layout::channels_last)).to_vector<double>(), y.to_vector<double>()) ==
          "");
    sum(y).backward();
    const std::vector<double> sums = image_sums(y), gradients = image_sums(x.grad());
    for (std::size_t i = 0; i < sums.size(); ++i) CHECK(gradients[i] == (sums[i] == 0 ? 0 : 24));
}

TEST_CASE("a dense block keeps its input and adds each layer's channels", "[layers][dense-block]") {
    manual_seed(7);
    DenseBlock block({.in_channels = 4, .layers = 3, .growth = 2, .bottleneck = 5});
    RandomInputs random(73);
    const Tensor x = random.tensor({2, 4, 5, 3}, -1, 1, DType::float32);
    const Tensor y = block.forward(x);
    CHECK(y.shape() == Shape{2, 10, 5, 3});
    CHECK(differences(slice(y, 1, 0, 4).to_vector<float>(), x.to_vector<float>()) == "");
    // The first layer's channels do not depend on the others': they are those of a block of one layer.
    DenseBlock first({.in_channels = 4, .layers = 1, .growth = 2, .bottleneck = 5});
    std::vector<NamedTensor> state;
    for (const NamedTensor& entry : block.state())
        if (entry.name.starts_with("denselayer1.")) state.push_back(entry);
    first.load_state(state);
    CHECK(relative_difference(slice(y, 1, 0, 6), first.forward(x)) < 1e-6);
}

TEST_CASE("a dense block's layers have the names of torchvision's", "[layers][dense-block]") {
    const std::vector<std::string> two = names_of(DenseBlock({.in_channels = 4, .bottleneck = 5}));
    for (const std::string name : {"denselayer1.norm1.weight", "denselayer1.conv1.weight", "denselayer1.norm2.bias",
                                   "denselayer1.conv2.weight", "denselayer1.norm2.running_var"})
        CHECK(std::find(two.begin(), two.end(), name) != two.end());
    CHECK(two.size() == 10);
    CHECK(names_of(DenseBlock({.in_channels = 4, .layers = 2})).size() == 10);
}

TEST_CASE("a dense block drops out in training alone", "[layers][dense-block]") {
    DenseBlock block({.in_channels = 4, .layers = 2, .growth = 3, .bottleneck = 5, .dropout = 0.5});
    RandomInputs random(74);
    const Tensor x = random.tensor({2, 4, 5, 3}, -1, 1, DType::float32);
    CHECK(block.forward(x).to_vector<float>() != block.forward(x).to_vector<float>());
    const auto added = slice(block.forward(x), 1, 4, 10).to_vector<float>();
    const auto zeros = std::count(added.begin(), added.end(), 0.0F);
    CHECK(zeros > static_cast<std::ptrdiff_t>(added.size()) / 4);
    block.eval();
    CHECK(differences(block.forward(x).to_vector<float>(), block.forward(x).to_vector<float>()) == "");
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
