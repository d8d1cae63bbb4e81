// Tests of Adam and AdamW: a comparison with PyTorch's recorded steps, step counts, messages.
#include "radial/core/optim/adam.h"
#include "recorded_steps.h"

namespace radial::test {

TEST_CASE("Adam and AdamW follow PyTorch") {
    using namespace golden;
    check_both(adam({.lr = 0.02}), adam_float32, adam_float64);
    check_both(adam(adam_decay), adam_decay_float32, adam_decay_float64);
    AdamOptions decoupled = adam_decay;
    decoupled.decoupled = true;
    check_both(adam(decoupled), adamw_float32, adamw_float64);
}

TEST_CASE("Adam counts the steps of each parameter on its own, as PyTorch") {
    const Tensor early = start(), late = start();
    Adam both({early, late}, AdamOptions{.lr = 0.02});
    early.set_grad(gradient_at(1));
    both.step();
    early.clear_grad();
    run(both, late, 1, 1);
    CHECK(differences(late.to_vector<double>(), early.to_vector<double>()) == "");
}

TEST_CASE("Adam refuses settings outside their range") {
    const auto make = [](const AdamOptions& options) { return error_of([&] { Adam({start()}, options); }); };
    CHECK(make({.beta1 = 1}) == "Adam: beta1 is 1, expected [0, 1)");
    CHECK(make({.beta2 = -0.5}) == "Adam: beta2 is -0.5, expected [0, 1)");
    CHECK(make({.epsilon = -1}) == "Adam: epsilon is -1, expected a finite number >= 0");
}

}  // namespace radial::test
