// Tests of activations, Dropout and DropConnect: initial values, and the difference between training and evaluation.
#include "radial/layers/activation.h"
#include "../core/gradcheck.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/sequential.h"

#include <algorithm>

namespace radial::test {
namespace {

/// The sums of the elements of each image.
std::vector<double> image_sums(const Tensor& x) { return sum(x, {1, 2, 3}).to_vector<double>(); }

}  // namespace

TEST_CASE("PReLU's slopes start at its option's value") {
    CHECK(PReLU({.channels = 2}).parameters()[0].to_vector<double>() == std::vector<double>{0.25, 0.25});
    CHECK(PReLU({.channels = 1, .initial = 0.5}).parameters()[0].to_vector<double>() == std::vector<double>{0.5});
}

TEST_CASE("an activation's layer computes the op of its name with its options") {
    RandomInputs random(70);
    const Tensor x = random.tensor({2, 4, 3, 2}, -4, 8);
    const auto same = [&](Layer&& layer, const Tensor& expected) {
        return differences(layer.forward(x).to_vector<double>(), expected.to_vector<double>()) == "";
    };
    CHECK(same(ReLU6(), relu6(x)));
    CHECK(same(LeakyReLU(), leaky_relu(x, 0.01)));
    CHECK(same(LeakyReLU({.slope = 0.2}), leaky_relu(x, 0.2)));
    CHECK(same(ELU(), elu(x, 1)));
    CHECK(same(ELU({.alpha = 0.5}), elu(x, 0.5)));
    CHECK(same(SELU(), selu(x)));
    CHECK(same(CELU({.alpha = 2}), celu(x, 2)));
    CHECK(same(GELU(), gelu(x)));
    CHECK(same(GELU({.tanh = true}), gelu_tanh(x)));
    CHECK(same(HardSigmoid(), hard_sigmoid(x)));
    CHECK(same(HardSwish(), hard_swish(x)));
    CHECK(same(HardTanh(), clamp(x, -1, 1)));
    CHECK(same(HardTanh({.low = -2, .high = 3}), clamp(x, -2, 3)));
    CHECK(same(Mish(), mish(x)));
    CHECK(same(Softplus(), softplus(x)));
    CHECK(same(Softsign(), softsign(x)));
    CHECK(same(LogSigmoid(), log_sigmoid(x)));
    CHECK(same(SoftShrink(), soft_shrink(x, 0.5)));
    CHECK(same(HardShrink({.bound = 1}), hard_shrink(x, 1)));
    CHECK(same(GLU(), glu(x, 3)));
    CHECK(same(GLU({.dim = 1}), glu(x, 1)));
}

TEST_CASE("activations with impossible options say what they expect") {
    CHECK(error_of([] { CELU({.alpha = 0}); }) == "CELU: alpha is 0, expected above 0");
    CHECK(error_of([] { HardTanh({.low = 2, .high = 1}); }) == "HardTanh: from 2 to 1, expected the lower bound first");
    CHECK(error_of([] { SoftShrink({.bound = -1}); }) == "SoftShrink: bound is -1, expected at least 0");
    CHECK(error_of([] { HardShrink({.bound = -1}); }) == "HardShrink: bound is -1, expected at least 0");
    CHECK(error_of([] { Mish().forward(Tensor::zeros({2}, DType::int64)); }) ==
          "Mish: input is int64[2], expected float32 or float64");
    CHECK(error_of([] {
              GLU().forward(Tensor::zeros({2, 3}));
          }) == "glu: input [2, 3] has extent 3 in dimension 1, expected an even number");
}

TEST_CASE("activations with options are added to a chain by their options") {
    Sequential chain;
    chain.add<LeakyReLU>({.slope = 0.5}).add<ELU>({.alpha = 2}).add<HardSwish>().add<GELU>();
    const Tensor x = Tensor::full({2, 3}, -1);
    CHECK(chain.forward(x).to_vector<float>() == gelu(hard_swish(elu(leaky_relu(x, 0.5), 2))).to_vector<float>());
}

TEST_CASE("Dropout changes nothing in evaluation and drops in training") {
    const Tensor x = Tensor::full({100, 10}, 1.0);
    Dropout layer({.p = 0.5});
    manual_seed(1);
    const auto dropped = layer.forward(x).to_vector<double>();
    const auto zeros = std::count(dropped.begin(), dropped.end(), 0.0);
    CHECK(zeros > 400);
    CHECK(zeros < 600);
    layer.eval();
    CHECK(differences(layer.forward(x).to_vector<double>(), x.to_vector<double>()) == "");
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

}  // namespace radial::test
