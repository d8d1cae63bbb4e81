// Tests of LAMB: its trust ratio, state and messages. The comparison with timm is in tests/golden.
#include "../../expect.h"

#include "radial/core/backend/backend.h"
#include "radial/core/optim/lamb.h"
#include "radial/core/tensor/random.h"

#include <cmath>

using namespace radial;
using radial::test::differences;
using radial::test::error_of;

namespace {

Tensor noise(const Shape& shape, std::uint64_t seed, DType dtype = DType::float64) {
    Generator generator(seed);
    const Tensor x = Tensor::empty(shape, dtype);
    normal_(x, 0, 1, generator);
    return x;
}

void run(Optimizer& optimizer, const Tensor& parameter, int first, int last) {
    for (int step = first; step <= last; ++step) {
        parameter.set_grad(noise(parameter.shape(), 100 + static_cast<std::uint64_t>(step), parameter.dtype()));
        optimizer.step();
    }
}

}  // namespace

TEST_CASE("LAMB's first step is as long as the rate times the weights") {
    const Tensor w = Tensor::from(std::vector<double>{3, 4}, {2});
    Lamb optimizer({w}, {.lr = 0.1, .epsilon = 0, .always_adapt = true});
    w.set_grad(Tensor::from(std::vector<double>{7, -1e-3}, {2}));
    optimizer.step();
    // The update is [1, -1], whose norm is sqrt(2); that of the weights is 5.
    CHECK(w.to_vector<double>()[0] == Approx(3 - 0.1 * 5 / std::sqrt(2)));
    CHECK(w.to_vector<double>()[1] == Approx(4 + 0.1 * 5 / std::sqrt(2)));
}

TEST_CASE("LAMB's trust ratio is 1 for weights of 0, for an update of 0, and without weight decay") {
    const auto step = [](double weight, double gradient, const LambOptions& options) {
        const Tensor w = Tensor::full({1}, weight, DType::float64);
        w.set_grad(Tensor::full({1}, gradient, DType::float64));
        Lamb optimizer({w}, options);
        optimizer.step();
        return w.item();
    };
    CHECK(step(0, 5, {.lr = 0.1, .always_adapt = true}) == Approx(-0.1));
    CHECK(step(3, 0, {.lr = 0.1, .always_adapt = true}) == 3);
    CHECK(step(3, 5, {.lr = 0.1}) == Approx(2.9));
    CHECK(step(3, 5, {.lr = 0.1, .trust_clip = true, .always_adapt = true}) == Approx(2.9));
    CHECK(step(3, 5, {.lr = 0.1, .always_adapt = true}) == Approx(2.7));
}

TEST_CASE("A restored LAMB continues exactly as the first would") {
    const LambOptions options{.lr = 0.05, .weight_decay = 0.1};
    const Tensor straight = noise({3, 5}, 1), stopped = straight.clone();
    Lamb one({straight}, options), two({stopped}, options), resumed({stopped}, options);
    run(one, straight, 1, 6);
    run(two, stopped, 1, 3);
    resumed.load_state(two.state());
    run(resumed, stopped, 4, 6);
    CHECK(differences(stopped.to_vector<double>(), straight.to_vector<double>()) == "");
}

TEST_CASE("LAMB's state has the names of Adam's") {
    std::vector<std::string> names;
    for (const NamedTensor& entry : Lamb({Tensor::zeros({2, 3}), Tensor::zeros({4})}, LambOptions{}).state())
        names.push_back(entry.name + " " + entry.tensor.str());
    CHECK(names == std::vector<std::string>{"first.0.0 float32[2, 3]", "first.0.1 float32[4]",
                                            "second.0.0 float32[2, 3]", "second.0.1 float32[4]", "step.0 int64[2]"});
}

TEST_CASE("LAMB's step does not depend on the number of threads") {
    const auto stepped = [](int threads) {
        set_num_threads(threads);
        const Tensor w = noise({100'003}, 2, DType::float32);
        Lamb optimizer({w}, LambOptions{.lr = 0.1, .weight_decay = 0.1});
        run(optimizer, w, 1, 2);
        set_num_threads(0);
        return w.to_vector<float>();
    };
    CHECK(differences(stepped(1), stepped(3)) == "");
}

TEST_CASE("LAMB skips parameters without a gradient and accepts those without elements") {
    const Tensor w = noise({3}, 1), empty = Tensor::zeros({0, 2});
    const auto before = w.to_vector<double>();
    Lamb optimizer({w, empty}, LambOptions{.weight_decay = 0.1});
    empty.set_grad(Tensor::zeros({0, 2}));
    optimizer.step();
    CHECK(differences(w.to_vector<double>(), before) == "");
}

TEST_CASE("LAMB refuses settings outside their range") {
    const auto make = [](const LambOptions& options) { return error_of([&] { Lamb({noise({3}, 1)}, options); }); };
    CHECK(make({.beta1 = 1}) == "Lamb: beta1 is 1, expected [0, 1)");
    CHECK(make({.beta2 = -0.5}) == "Lamb: beta2 is -0.5, expected [0, 1)");
    CHECK(make({.epsilon = -1}) == "Lamb: epsilon is -1, expected a finite number >= 0");
}
