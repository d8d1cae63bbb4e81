// Tests of BatchNorm2d, SqueezeExcite and ConvNorm: statistics, gradients, and folding in evaluation.
#include "radial/layers/conv.h"
#include "../core/gradcheck.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

namespace radial::test {
namespace {

std::vector<std::string> names_of(const Module& module) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : module.state()) names.push_back(name);
    return names;
}

ConvNorm random_block(Activation activation, bool bias = false) {
    manual_seed(5);
    auto conv = std::make_shared<Conv2d>(
        Conv2dOptions{.in_channels = 6, .out_channels = 8, .kernel = 3, .stride = 2, .padding = 1, .bias = bias});
    auto norm = std::make_shared<BatchNorm2d>(BatchNorm2dOptions{.channels = 8, .activation = activation});
    uniform_(norm->weight().detach(), 0.5, 1.5);
    uniform_(norm->bias().detach(), -1, 1);
    uniform_(norm->running_mean(), -1, 1);
    uniform_(norm->running_var(), 0.3, 2);
    return {conv, norm};
}

void evaluate(const ConvNorm& block) {
    block.conv()->eval();
    block.norm()->eval();
}

}  // namespace

TEST_CASE("BatchNorm2d adds a residual before it clamps") {
    BatchNorm2d norm({.channels = 1, .epsilon = 1e-12, .activation = Activation::relu});
    const Tensor x = Tensor::from<float>({1, -1}, {1, 1, 1, 2});  // mean 0 and variance 1
    const Tensor residual = Tensor::from<float>({-3, 1.5}, {1, 1, 1, 2});
    CHECK(norm.forward(x, residual).to_vector<double>() == std::vector<double>{0, 0.5});
}

TEST_CASE("BatchNorm2d moves its running statistics in training alone") {
    BatchNorm2d norm({.channels = 1, .momentum = 0.5});
    const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 6}, {1, 1, 2, 2});
    norm.forward(x);
    const auto mean_after = [&] { return norm.named_buffers()[0].tensor.to_vector<double>()[0]; };
    CHECK(mean_after() == Approx(1.5));
    norm.eval();
    norm.forward(x);
    CHECK(mean_after() == Approx(1.5));
}

TEST_CASE("gradients of squeeze-and-excitation agree with differences", "[layers][squeeze-excite]") {
    manual_seed(4);
    SqueezeExcite layer({.channels = 6, .reduced = 2});
    layer.to(DType::float64);
    RandomInputs random(71);
    const std::vector<NamedTensor> state = layer.state();
    std::vector<Tensor> inputs{random.tensor({2, 6, 3, 5})};
    for (const auto& [name, tensor] : state) inputs.push_back(random.tensor(tensor.shape()));
    // The formula of forward() with the parameters as inputs.
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

TEST_CASE("squeeze-and-excitation has the activation and the gate of its options", "[layers][squeeze-excite]") {
    using Gate = SqueezeExciteOptions::Gate;
    RandomInputs random(72);
    const Tensor x = random.tensor({2, 6, 3, 5});
    for (const Activation activation : {Activation::silu, Activation::relu}) {
        for (const Gate gate : {Gate::sigmoid, Gate::hard_sigmoid}) {
            SqueezeExcite layer({.channels = 6, .reduced = 2, .activation = activation, .gate = gate});
            layer.to(DType::float64);
            const Tensor squeezed = reshape(global_avg_pool(x), {2, 6, 1, 1});
            const Tensor middle = activated(layer.reduce()->forward(squeezed), activation);
            const Tensor excited = reshape(layer.expand()->forward(middle), {2, 6});
            const Tensor factors = gate == Gate::sigmoid ? sigmoid(excited) : hard_sigmoid(excited);
            CHECK(relative_difference(layer.forward(x), scale_channels(x, factors)) < 1e-12);
        }
    }
}

TEST_CASE("squeeze-and-excitation has two convolutions with a bias", "[layers][squeeze-excite]") {
    const SqueezeExcite layer({.channels = 6, .reduced = 2});
    CHECK(names_of(layer) ==
          std::vector<std::string>{"conv_reduce.weight", "conv_reduce.bias", "conv_expand.weight", "conv_expand.bias"});
    CHECK(layer.parameters()[0].shape() == Shape{2, 6, 1, 1});
    CHECK(layer.parameters()[2].shape() == Shape{6, 2, 1, 1});
}

TEST_CASE("a convolution and its batch norm give the same folded and one by one") {
    RandomInputs random(311);
    const Tensor x = random.tensor({2, 6, 9, 7}, -1, 1, DType::float32);
    for (const Activation activation : {Activation::none, Activation::relu, Activation::silu, Activation::gelu}) {
        for (const bool bias : {false, true}) {
            const ConvNorm block = random_block(activation, bias);
            evaluate(block);
            const Tensor apart = block.norm()->forward(block.conv()->forward(x), {});
            const Tensor residual = random.tensor(apart.shape(), -1, 1, DType::float32);
            const Tensor with_residual = block.norm()->forward(block.conv()->forward(x), residual);
            const NoGrad guard;
            CHECK(relative_difference(block.forward(x), apart) < 1e-5);
            CHECK(relative_difference(block.forward(x, residual), with_residual) < 1e-5);
        }
    }
}

TEST_CASE("folded weights follow a change of the weights, the statistics and the dtype") {
    RandomInputs random(312);
    const Tensor x = random.tensor({2, 6, 5, 5}, -1, 1, DType::float32);
    const ConvNorm block = random_block(Activation::relu);
    evaluate(block);
    const NoGrad guard;
    const auto agrees = [&](const Tensor& input) {
        return relative_difference(block.forward(input), block.norm()->forward(block.conv()->forward(input), {})) <
               1e-5;
    };
    CHECK(agrees(x));
    for (const Tensor& changed :
         {block.conv()->weight(), block.norm()->weight(), block.norm()->bias(), block.norm()->running_mean()}) {
        uniform_(changed, 0.2, 0.9);
        CHECK(agrees(x));
    }
    block.conv()->to(DType::float64);
    block.norm()->to(DType::float64);
    CHECK(agrees(x.to(DType::float64)));
}

TEST_CASE("ConvNorm trains as the two layers do") {
    RandomInputs random(313);
    const Tensor x = random.tensor({2, 6, 5, 5}, -1, 1, DType::float32);
    const ConvNorm block = random_block(Activation::relu);
    CHECK(graph_ops(block.forward(x)) == std::vector<std::string>{"batch_norm", "conv2d"});
}

TEST_CASE("ConvNorm refuses layers that do not fit") {
    const auto conv = std::make_shared<Conv2d>(Conv2dOptions{.in_channels = 3, .out_channels = 8});
    CHECK(error_of([&] { ConvNorm(conv, nullptr); }) == "ConvNorm: the convolution or the norm is null");
    CHECK(error_of([&] { ConvNorm(conv, std::make_shared<BatchNorm2d>(BatchNorm2dOptions{.channels = 4})); }) ==
          "ConvNorm: the convolution gives 8 channels, the norm takes 4");
}

}  // namespace radial::test
