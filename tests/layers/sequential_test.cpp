// Tests of Sequential: names, layers built from their options, and which tensors it may overwrite.
#include "radial/layers/sequential.h"
#include "../expect.h"
#include "radial/layers/activation.h"
#include "radial/layers/linear.h"

namespace radial::test {
namespace {

std::vector<std::string> names_of(const std::vector<NamedTensor>& tensors) {
    std::vector<std::string> names;
    names.reserve(tensors.size());
    for (const auto& entry : tensors) names.push_back(entry.name);
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("Sequential names its layers by their indices") {
    Sequential chain;
    chain.add<Linear>(LinearOptions{.in_features = 3, .out_features = 4}).add<ReLU>();
    chain.add<Linear>(LinearOptions{.in_features = 4, .out_features = 2, .bias = false});
    CHECK(names_of(chain.named_parameters()) == Names{"0.weight", "0.bias", "2.weight"});
    CHECK(chain.layers().size() == 3);
}

TEST_CASE("Sequential lets a layer overwrite a temporary but never its own input") {
    const Tensor x = Tensor::from(std::vector<float>{-1, 2}, {1, 2});
    Sequential chain;
    chain.add<ReLU>().add<ReLU>();
    CHECK(chain.forward(x).to_vector<double>() == std::vector<double>{0, 2});
    CHECK(x.to_vector<double>() == std::vector<double>{-1, 2});
}

TEST_CASE("Sequential makes layers from their options") {
    Sequential net;
    net.add<Linear>({.in_features = 3, .out_features = 4})
        .add<PReLU>({.initial = 0.5})
        .add<ReLU>()
        .add<Linear>({.in_features = 4, .out_features = 2});
    CHECK(net.forward(Tensor::zeros({5, 3})).shape() == Shape{5, 2});
    CHECK(net.named_parameters().at(2).tensor.item() == 0.5);
}

}  // namespace radial::test
