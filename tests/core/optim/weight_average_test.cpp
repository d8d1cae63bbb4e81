// Tests of Lookahead. The tests of moving averages are in tests/apps/train/training_step_test.cpp.
#include "radial/core/optim/weight_average.h"

#include "../../expect.h"
#include "radial/core/ops.h"

#include <cmath>

namespace radial::test {
namespace {

/// A weight of one element, to which each step adds 1.
struct Walk {
    Tensor weight = Tensor::zeros({1});
    Lookahead lookahead;

    explicit Walk(const LookaheadOptions& options) : lookahead({{"weight", weight}}, options) {}
    double step() {
        weight.copy_(weight + 1.0);
        lookahead.update();
        return weight.item();
    }
};

}  // namespace

TEST_CASE("Lookahead continues from the average after every interval, and its decay grows over the run") {
    Walk walk({.interval = 2, .decay = 0.5, .power = 1, .steps = 8});
    CHECK(walk.step() == 1);
    // d = 0.5^2 * 2 / 8 = 1 / 16: the weighted average of 0 and 2 is 15 / 8.
    CHECK(walk.step() == Approx(15.0 / 8));
    CHECK(walk.step() == Approx(23.0 / 8));
    // d = 0.5^2 * 4 / 8 = 1 / 8: the weighted average of 15 / 8 and 31 / 8.
    CHECK(walk.step() == Approx(15.0 / 64 + 7 * 31.0 / 64));
}

TEST_CASE("Lookahead averages after the last step of the run, whatever the interval") {
    Walk walk({.interval = 4, .decay = 0.5, .power = 0, .steps = 3});
    CHECK(walk.step() == 1);
    CHECK(walk.step() == 2);
    CHECK(walk.step() == Approx(3 * (1 - std::pow(0.5, 4))));
}

TEST_CASE("Lookahead follows a new number of steps") {
    Walk walk({.interval = 2, .decay = 0.5, .power = 1, .steps = 8});
    walk.step();
    walk.lookahead.set_steps(2);
    // d = 0.5^2 * 2 / 2 = 1 / 4: the weighted average of 0 and 2 is 1.5.
    CHECK(walk.step() == Approx(1.5));
}

TEST_CASE("Lookahead goes on from its saved state") {
    const LookaheadOptions options{.interval = 3, .decay = 0.9, .power = 2, .steps = 10};
    Walk one(options), other(options);
    for (int i = 0; i < 4; ++i) one.step();
    other.lookahead.load_state(one.lookahead.state());
    other.weight.copy_(one.weight);
    for (int i = 0; i < 5; ++i) CHECK(one.step() == other.step());
}

TEST_CASE("Lookahead refuses options that mean nothing", "[host]") {
    CHECK(error_of([] { Lookahead({}, {.interval = 0}); }) == "Lookahead: interval is 0, expected at least 1");
    CHECK(error_of([] { Lookahead({}, {.steps = 0}); }) == "Lookahead: steps is 0, expected at least 1");
    CHECK(error_of([] { Lookahead({}, {.power = -1}); }) == "Lookahead: power is -1, expected at least 0");
    CHECK(error_of([] { Lookahead({}, {.decay = 1}); }) ==
          "weight average: decay is 1, expected at least 0 and below 1");
}

}  // namespace radial::test
