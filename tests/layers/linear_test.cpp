// Tests of the initial weights of Linear.
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

}  // namespace radial::test
