// Tests of Linear: its initial weights and its parameters.
#include "radial/layers/linear.h"
#include "../expect.h"
#include "radial/core/tensor/random.h"

namespace radial::test {

TEST_CASE("a layer's first weights are a function of the seed") {
    manual_seed(5);
    const Linear first({.in_features = 4, .out_features = 4});
    manual_seed(5);
    const Linear second({.in_features = 4, .out_features = 4});
    CHECK(differences(first.parameters()[0].to_vector<float>(), second.parameters()[0].to_vector<float>()) == "");
}

TEST_CASE("a linear layer gives access to its weight and its bias", "[layers][linear]") {
    const Linear layer({.in_features = 3, .out_features = 2});
    CHECK(layer.weight().raw() == layer.parameters()[0].raw());
    CHECK(layer.bias().raw() == layer.parameters()[1].raw());
    CHECK_FALSE(Linear({.in_features = 3, .out_features = 2, .bias = false}).bias().defined());
}

}  // namespace radial::test
