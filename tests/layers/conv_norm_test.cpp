// ConvNorm: what evaluation folds gives what the two layers give, and follows the weights.
#include "../core/random_inputs.h"
#include "../expect.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/conv.h"

namespace radial::test {
namespace {

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

TEST_CASE("a convolution and its batch norm give the same folded and one by one") {
    RandomInputs random(311);
    const Tensor x = random.tensor({2, 6, 9, 7}, -1, 1, DType::float32);
    for (const Activation activation : {Activation::none, Activation::relu, Activation::silu}) {
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
