// Tests of activations, Dropout and DropConnect: initial values, and the difference between training and evaluation.
#include "radial/layers/activation.h"
#include "../core/gradcheck.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <algorithm>

namespace radial::test {
namespace {

/// The sum of each image's elements.
std::vector<double> image_sums(const Tensor& x) { return sum(x, {1, 2, 3}).to_vector<double>(); }

}  // namespace

TEST_CASE("PReLU's slopes start at its option's value") {
    CHECK(PReLU({.channels = 2}).parameters()[0].to_vector<double>() == std::vector<double>{0.25, 0.25});
    CHECK(PReLU({.channels = 1, .initial = 0.5}).parameters()[0].to_vector<double>() == std::vector<double>{0.5});
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
