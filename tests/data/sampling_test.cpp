// Tests of the samples of an epoch: their order, balanced classes, and repeated samples.
#include "radial/data/sampling.h"

#include "../catch.h"
#include "../expect.h"

#include <algorithm>
#include <map>

using namespace radial;
using namespace radial::data;
using namespace radial::test;

namespace {

using Indices = std::vector<std::int64_t>;

/// How often each value occurs.
std::map<std::int64_t, int> counts_of(const Indices& values) {
    std::map<std::int64_t, int> counts;
    for (const std::int64_t value : values) ++counts[value];
    return counts;
}

/// 7 samples of class 4, 2 of class 0 and 1 of class 9.
const Indices unequal = {4, 4, 0, 4, 4, 9, 4, 0, 4, 4};

}  // namespace

TEST_CASE("epoch_order is a permutation that follows from seed and epoch", "[host][data][sampling]") {
    const Indices order = epoch_order(1000, true, 1, 0);
    CHECK(differences(order, epoch_order(1000, true, 1, 0)) == "");
    CHECK(order != epoch_order(1000, true, 1, 1));
    CHECK(order != epoch_order(1000, true, 2, 0));
    // Seed and epoch are mixed, not just added.
    CHECK(epoch_order(1000, true, 1, 1) != epoch_order(1000, true, 2, 0));
    CHECK(std::is_permutation(order.begin(), order.end(), epoch_order(1000, false, 1, 0).begin()));
}

TEST_CASE("epoch_order without shuffling counts up", "[host][data][sampling]") {
    CHECK(epoch_order(4, false, 9, 3) == Indices{0, 1, 2, 3});
    CHECK(epoch_order(0, true, 9, 3).empty());
    CHECK(error_of([] { epoch_order(-1, false, 0, 0); }) == "epoch_order: size is -1, expected at least 0");
}

TEST_CASE("balanced order has each class equally often, and uses every sample of a class before one again",
          "[host][data][sampling]") {
    for (const std::int64_t epoch : {0, 1, 2, 3}) {
        const Indices order = balanced_order(unequal, 1, epoch);
        REQUIRE(order.size() == unequal.size());
        Indices labels;
        for (const std::int64_t sample : order) labels.push_back(unequal[static_cast<std::size_t>(sample)]);
        const auto classes = counts_of(labels), samples = counts_of(order);
        CHECK(classes.size() == 3);
        for (const auto& [label, count] : classes) CHECK((count == 3 || count == 4));
        for (const auto& [sample, count] : samples)
            if (unequal[static_cast<std::size_t>(sample)] == 4) CHECK(count == 1);
        CHECK(std::abs(samples.at(2) - samples.at(7)) <= 1);
    }
}

TEST_CASE("balanced order follows from seed and epoch", "[host][data][sampling]") {
    CHECK(balanced_order(unequal, 1, 0) == balanced_order(unequal, 1, 0));
    CHECK(balanced_order(unequal, 1, 0) != balanced_order(unequal, 1, 1));
    CHECK(balanced_order(unequal, 1, 0) != balanced_order(unequal, 2, 0));
    CHECK(balanced_order({}, 1, 0).empty());
}

TEST_CASE("balanced order draws the classes that get one more sample", "[host][data][sampling]") {
    std::map<std::int64_t, int> extra;
    for (std::int64_t epoch = 0; epoch < 60; ++epoch) {
        std::map<std::int64_t, int> classes;
        for (const std::int64_t sample : balanced_order(unequal, 1, epoch))
            ++classes[unequal[static_cast<std::size_t>(sample)]];
        for (const auto& [label, count] : classes) extra[label] += count == 4;
    }
    for (const std::int64_t label : {0, 4, 9}) CHECK(extra[label] > 8);  // 20 are expected
}

TEST_CASE("repeated draws use the first samples several times, as many in total", "[host][data][sampling]") {
    const Indices order = {5, 3, 8, 1};
    CHECK(repeated_draws(order, 1) == std::vector<Draw>{{5, 0}, {3, 0}, {8, 0}, {1, 0}});
    CHECK(repeated_draws(order, 3) == std::vector<Draw>{{5, 0}, {5, 1}, {5, 2}, {3, 0}});
    CHECK(error_of([&] { repeated_draws(order, 0); }) ==
          "repeated augmentation: each sample 0 times, expected at least 1");
}

TEST_CASE("uses of a sample that the order repeats are counted too", "[host][data][sampling]") {
    const Indices order = {5, 5, 3, 5};
    CHECK(repeated_draws(order, 1) == std::vector<Draw>{{5, 0}, {5, 1}, {3, 0}, {5, 2}});
}
