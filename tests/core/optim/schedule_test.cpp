// Tests of the learning-rate schedules.
#include "../../catch.h"
#include "../../expect.h"
#include "../../folders.h"

#include "radial/core/optim/schedule.h"

#include <nlohmann/json.hpp>

#include <fstream>

using namespace radial;
using radial::test::error_of;

namespace {

/// The schedule of a case that tests/golden/schedule_cases.py recorded.
Schedule recorded_schedule(const nlohmann::json& one) {
    const AnnealingOptions options{.lr = one.at("lr"),
                                   .final_lr = one.at("final_lr"),
                                   .epochs = one.at("epochs"),
                                   .warmup_epochs = one.value("warmup_epochs", 0.0),
                                   .warmup_start = one.value("warmup_start", 0.0)};
    const std::string name = one.at("schedule");
    if (name == "cosine") return cosine_schedule(options);
    if (name == "linear") return linear_schedule(options);
    if (name == "poly") return polynomial_schedule(options, one.at("power"));
    if (name == "exponential") return exponential_schedule(options);
    REQUIRE(name == "one-cycle");
    return one_cycle_schedule(options);
}

}  // namespace

TEST_CASE("A constant schedule stays", "[host]") {
    const Schedule schedule = constant_schedule(0.3);
    CHECK(schedule(0) == 0.3);
    CHECK(schedule(1000.5) == 0.3);
}

TEST_CASE("A step schedule multiplies by each milestone's factor from its epoch on", "[host]") {
    const Schedule schedule = step_schedule(0.1, {{5, 0.5}, {8, 0.1}});
    CHECK(schedule(0) == 0.1);
    CHECK(schedule(4.999) == 0.1);
    CHECK(schedule(5) == Approx(0.05));
    CHECK(schedule(7.9) == Approx(0.05));
    CHECK(schedule(8) == Approx(0.005));
    CHECK(schedule(100) == Approx(0.005));
}

TEST_CASE("A step schedule without milestones is constant", "[host]") { CHECK(step_schedule(0.1, {})(50) == 0.1); }

TEST_CASE("A step schedule refuses milestones out of order", "[host]") {
    CHECK(error_of([] {
              step_schedule(0.1, {{8, 0.1}, {5, 0.1}});
          }) == "step_schedule: milestone 5 follows 8, expected ascending epochs");
    CHECK(error_of([] {
              step_schedule(0.1, {{5, 0.1}, {5, 0.1}});
          }) == "step_schedule: milestone 5 follows 5, expected ascending epochs");
}

TEST_CASE("A cosine schedule goes from its peak to its end and stays there", "[host]") {
    const Schedule schedule = cosine_schedule({.lr = 0.2, .final_lr = 0.02, .epochs = 10});
    CHECK(schedule(0) == Approx(0.2));
    CHECK(schedule(5) == Approx(0.11));
    CHECK(schedule(2.5) == Approx(0.02 + 0.18 * 0.8535533905932737));
    CHECK(schedule(10) == Approx(0.02));
    CHECK(schedule(11) == Approx(0.02));
}

TEST_CASE("A cosine schedule warms up first, then spends its cosine on the rest", "[host]") {
    const Schedule schedule = cosine_schedule({.lr = 0.4, .epochs = 12, .warmup_epochs = 2, .warmup_start = 0.25});
    CHECK(schedule(0) == Approx(0.1));
    CHECK(schedule(1) == Approx(0.25));
    CHECK(schedule(2) == Approx(0.4));
    CHECK(schedule(7) == Approx(0.2));
    CHECK(schedule(12) == Approx(0).margin(1e-12));
}

TEST_CASE("A linear schedule goes straight from its peak to its end, after its warm-up") {
    const Schedule schedule =
        linear_schedule({.lr = 0.4, .final_lr = 0.1, .epochs = 12, .warmup_epochs = 2, .warmup_start = 0.5});
    CHECK(schedule(0) == Approx(0.2));
    CHECK(schedule(1) == Approx(0.3));
    CHECK(schedule(2) == Approx(0.4));
    CHECK(schedule(7) == Approx(0.25));
    CHECK(schedule(12) == Approx(0.1));
    CHECK(schedule(13) == Approx(0.1));
    CHECK(error_of([] { linear_schedule({.epochs = 5, .warmup_epochs = 5}); }) ==
          "linear_schedule: 5 warm-up epochs of 5, expected at least 0 and fewer than all");
}

TEST_CASE("A cosine schedule refuses a warm-up as long as itself", "[host]") {
    CHECK(error_of([] { cosine_schedule({.epochs = 5, .warmup_epochs = 5}); }) ==
          "cosine_schedule: 5 warm-up epochs of 5, expected at least 0 and fewer than all");
    CHECK(error_of([] { cosine_schedule({.epochs = 5, .warmup_epochs = -1}); }) ==
          "cosine_schedule: -1 warm-up epochs of 5, expected at least 0 and fewer than all");
}

TEST_CASE("A warm-up multiplies any schedule", "[host]") {
    const Schedule schedule = with_warmup(step_schedule(0.1, {{1, 0.1}}), 2, 0.5);
    CHECK(schedule(0) == Approx(0.05));
    CHECK(schedule(1) == Approx(0.0075));
    CHECK(schedule(2) == Approx(0.01));
    CHECK(schedule(3) == Approx(0.01));
    CHECK(with_warmup(constant_schedule(0.1), 0)(0) == 0.1);
    CHECK(error_of([] { with_warmup(constant_schedule(1), -1); }) == "with_warmup: -1 epochs, expected at least 0");
}

TEST_CASE("The schedules have the rates of PyTorch's", "[host]") {
    std::ifstream file(radial::test::test_folder() + "/golden/schedules.json");
    for (const nlohmann::json& one : nlohmann::json::parse(file)) {
        const Schedule schedule = recorded_schedule(one);
        const std::vector<double> rates = one.at("rates");
        for (std::size_t step = 0; step < rates.size(); ++step) {
            INFO(one.at("schedule") << " from " << one.at("lr") << ", step " << step);
            CHECK(schedule(static_cast<double>(step)) == Approx(rates[step]).epsilon(1e-12).margin(1e-15));
        }
    }
}

TEST_CASE("A schedule stays at its final rate after its end, and follows a linear warm-up", "[host]") {
    const AnnealingOptions options{.lr = 0.4, .final_lr = 0.1, .epochs = 12, .warmup_epochs = 2, .warmup_start = 0.5};
    for (const Schedule& schedule : {polynomial_schedule(options, 2), exponential_schedule(options)}) {
        CHECK(schedule(0) == Approx(0.2));
        CHECK(schedule(1) == Approx(0.3));
        CHECK(schedule(2) == Approx(0.4));
        CHECK(schedule(12) == Approx(0.1));
        CHECK(schedule(50) == Approx(0.1));
    }
    CHECK(polynomial_schedule(options, 2)(7) == Approx(0.175));
    CHECK(exponential_schedule(options)(7) == Approx(0.2));
    CHECK(one_cycle_schedule(options)(1) == Approx(0.3));
    CHECK(one_cycle_schedule(options)(7) == Approx(0.25));
    CHECK(one_cycle_schedule(options)(50) == Approx(0.1));
}

TEST_CASE("Schedules refuse rates, powers and warm-ups that they cannot follow", "[host]") {
    CHECK(error_of([] { polynomial_schedule({}, 0); }) == "polynomial_schedule: power is 0, expected above 0");
    CHECK(error_of([] { exponential_schedule({.lr = 0.1}); }) ==
          "exponential_schedule: from 0.1 to 0, expected both rates above 0");
    CHECK(error_of([] { one_cycle_schedule({.epochs = 5}); }) ==
          "one_cycle_schedule: 0 warm-up epochs, expected more than 0");
    CHECK(error_of([] { one_cycle_schedule({.epochs = 5, .warmup_epochs = 6}); }) ==
          "one_cycle_schedule: 6 warm-up epochs of 5, expected at least 0 and fewer than all");
}
