// Tests of RbfNetwork: the initial state of its units, saved state, squared error.
#include "radial/losses/rbf_network.h"
#include "batches.h"

#include <cmath>

namespace radial::test {

TEST_CASE("the units of an RBF network start on the first training batch", "[losses][rbf-network]") {
    RbfNetwork loss({.classes = 3, .dim = 2, .units_per_class = 1});
    const Tensor feature = matrix({0, 0, 3, 4}, 2), labels = label_list({0, 1});
    loss.forward(feature, labels);
    CHECK(named(loss, "centres").to_vector<float>() == std::vector<float>{0, 0, 3, 4, 0, 0});
    // Three of the six squared distances between two features and three centres are 25, the others are 0.
    for (const double width : named(loss, "log_widths").to_vector<double>())
        CHECK(width == Approx(std::log(12.5)).epsilon(1e-5));
    CHECK(metric_of(loss, "mean_kernel").item() == Approx(1));
    loss.forward(matrix({9, 9, 8, 8}, 2), labels);
    CHECK(named(loss, "centres").to_vector<float>() == std::vector<float>{0, 0, 3, 4, 0, 0});
}

TEST_CASE("the units of an RBF network start at a width of 1 around features that lie closer",
          "[losses][rbf-network]") {
    RbfNetwork loss({.classes = 2, .dim = 2, .units_per_class = 1});
    loss.forward(matrix({1, 1, 1, 1.02F}, 2), label_list({0, 1}));
    // Half of the squared distances are 0.02^2, so all lengths are scaled by 1 / sqrt(0.0002) around (1, 1.01).
    const auto centres = named(loss, "centres").to_vector<double>();
    const double length = 0.01 / std::sqrt(0.0002);
    const std::vector<double> expected = {1, 1.01 - length, 1, 1.01 + length};
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(centres[i] == Approx(expected[i]).epsilon(1e-4));
    for (const double width : named(loss, "log_widths").to_vector<double>()) CHECK(std::abs(width) < 1e-4);
}

TEST_CASE("an RBF network read back from a checkpoint keeps its units", "[losses][rbf-network]") {
    RbfNetwork trained({.classes = 3, .dim = 2, .units_per_class = 1});
    RbfNetwork other({.classes = 3, .dim = 2, .units_per_class = 1});
    const Tensor labels = label_list({0, 1});
    trained.forward(matrix({0, 0, 3, 4}, 2), labels);
    other.load_state(trained.state());
    other.forward(matrix({9, 9, 8, 8}, 2), labels);
    CHECK(differences(named(other, "centres").to_vector<float>(), named(trained, "centres").to_vector<float>()) == "");
}

TEST_CASE("an RBF network that starts on equal features stays finite", "[losses][rbf-network]") {
    RbfNetwork loss({.classes = 3, .dim = 2, .units_per_class = 2});
    Tensor feature = Tensor::full({4, 2}, 0.5);
    feature.set_requires_grad();
    const Tensor value = loss.forward(feature, label_list({0, 1, 2, 0}));
    value.backward();
    CHECK(std::isfinite(value.item()));
    for (const float g : feature.grad().to_vector<float>()) CHECK(std::isfinite(g));
}

TEST_CASE("an RBF network's squared error is 1 where every output is 0", "[losses][rbf-network]") {
    RbfNetwork loss({.classes = 3, .dim = 2, .units_per_class = 1, .squared_error = true});
    named(loss, "weight").fill_(0);
    named(loss, "bias").fill_(0);
    CHECK(loss.forward(matrix({0, 0, 3, 4}, 2), label_list({0, 2})).item() == Approx(1));
}

}  // namespace radial::test
