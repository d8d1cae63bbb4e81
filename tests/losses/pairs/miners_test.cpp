// Tests of the miners of triplet_loss. The gradient of a hinge that is active for all triplets shows which triplets a
// miner selects.
#include "../../expect.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

#include <cmath>

namespace radial::test {
namespace {

constexpr std::int64_t anchor_label = 1;

/// Copies of one anchor with these distances to other samples, which have these labels.
struct Anchors {
    Tensor distances, rows, columns;
    Anchors(const std::vector<double>& to_others, const std::vector<std::int64_t>& labels, std::int64_t copies = 1) {
        const auto count = static_cast<std::int64_t>(to_others.size());
        std::vector<double> all;
        for (std::int64_t i = 0; i < copies; ++i) all.insert(all.end(), to_others.begin(), to_others.end());
        distances = Tensor::from(all, {copies, count});
        distances.set_requires_grad();
        rows = Tensor::from(std::vector<std::int64_t>(static_cast<std::size_t>(copies), anchor_label), {copies});
        columns = Tensor::from(labels, {count});
    }

    /// The gradient of the mean hinge times `triplets`: for each distance, the number of triplets in which it is the
    /// positive minus the number in which it is the negative.
    std::vector<double> picked(const TripletTerms& terms, double triplets = 1) {
        Generator generator(5);
        distances.clear_grad();
        triplet_loss(distances, {.rows = rows, .columns = columns}, terms, generator).backward();
        std::vector<double> counts = distances.grad().to_vector<double>();
        for (double& count : counts) count *= triplets;
        return counts;
    }
};

using Counts = std::vector<double>;

/// The density of distances on the unit sphere, up to a factor (Wu et al. 2017, Eq. 4).
double density(double d, double dimension) {
    return std::pow(d, dimension - 2) * std::pow(1 - d * d / 4, (dimension - 3) / 2);
}

constexpr double wide = 10;  // a margin with which the hinge of every triplet is active

}  // namespace

TEST_CASE("without mining every positive meets every negative", "[losses][pairs][miners]") {
    Anchors anchors({0.1, 0.5, 0.3, 0.9, 0.7}, {1, 1, 2, 3, 2});
    CHECK(anchors.picked({.margin = wide}, 6) == Counts{3, 3, -2, -2, -2});
    // Three triplets have an active hinge: 0.5 with 0.3, 0.5 with 0.7, and 0.1 with 0.3.
    CHECK(anchors.picked({.margin = 0.25}, 3) == Counts{1, 2, -2, 0, -1});
}

TEST_CASE("the hard miner takes the furthest positive and the nearest negative", "[losses][pairs][miners]") {
    Anchors anchors({0.1, 0.5, 0.3, 0.9, 0.2}, {1, 1, 1, 3, 2});
    CHECK(anchors.picked({.margin = wide, .miner = TripletMiner::hard}) == Counts{0, 1, 0, 0, -1});
}

TEST_CASE("the hard miner takes the first of equals", "[losses][pairs][miners]") {
    Anchors anchors({0.5, 0.5, 0.2, 0.2}, {1, 1, 3, 2});
    CHECK(anchors.picked({.margin = wide, .miner = TripletMiner::hard}) == Counts{1, 0, -1, 0});
}

TEST_CASE("the semi-hard miner takes the nearest negative beyond the positive and within the margin",
          "[losses][pairs][miners]") {
    Anchors anchors({0.5, 0.4, 0.65, 0.6, 0.9}, {1, 2, 3, 2, 2});
    CHECK(anchors.picked({.margin = 0.2, .miner = TripletMiner::semi_hard}) == Counts{1, 0, 0, -1, 0});
}

TEST_CASE("the semi-hard miner passes over positives without such a negative", "[losses][pairs][miners]") {
    // Both negatives are nearer than the first positive, and outside the margin of the second.
    Anchors anchors({0.5, 0.1, 0.4, 0.45}, {1, 1, 2, 3});
    CHECK(anchors.picked({.margin = 0.2, .miner = TripletMiner::semi_hard}) == Counts{0, 0, 0, 0});
}

TEST_CASE("no miner makes triplets of an anchor without a positive or without a negative", "[losses][pairs][miners]") {
    for (const TripletMiner miner :
         {TripletMiner::all, TripletMiner::hard, TripletMiner::semi_hard, TripletMiner::distance_weighted}) {
        const TripletTerms terms{.margin = 0.4, .miner = miner, .soft = true, .dimension = 8};
        CHECK(Anchors({0.5, 0.6, 0.7}, {2, 2, 3}).picked(terms) == Counts{0, 0, 0});
        CHECK(Anchors({0.5, 0.6, 0.7}, {1, 1, 1}).picked(terms) == Counts{0, 0, 0});
    }
}

TEST_CASE("a sample is no positive of itself", "[losses][pairs][miners]") {
    Tensor distances = Tensor::from(std::vector<double>{9, 1, 5, 1, 9, 4, 5, 4, 9}, {3, 3});
    distances.set_requires_grad();
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{0, 0, 1}, {3});
    const Tensor loss =
        triplet_loss(distances, {.rows = labels}, {.margin = wide, .miner = TripletMiner::hard, .over_nonzero = false});
    CHECK(loss.item() == Approx((1 - 5 + wide + 1 - 4 + wide) / 2));
    loss.backward();
    CHECK(distances.grad().to_vector<double>() == Counts{0, 0.5, -0.5, 0.5, 0, -0.5, 0, 0, 0});
}

TEST_CASE("the distance-weighted miner draws negatives as often as the inverse density says",
          "[losses][pairs][miners]") {
    constexpr std::int64_t draws = 20000, dimension = 4;
    const std::vector<double> distance = {0.6, 0.2, 0.4, 0.8, 1.1, 1.5};
    Anchors anchors(distance, {1, 2, 3, 2, 2, 2}, draws);
    Generator generator(11);
    const TripletTerms terms{.margin = wide, .miner = TripletMiner::distance_weighted, .dimension = dimension};
    triplet_loss(anchors.distances, {.rows = anchors.rows, .columns = anchors.columns}, terms, generator).backward();
    const auto share = sum(anchors.distances.grad(), {0}).to_vector<double>();
    // Negatives nearer than the cutoff of 0.5 have the weight of the cutoff; the negative at 1.5 is too far and has
    // none.
    const std::vector<double> weights = {0,
                                         1 / density(0.5, dimension),
                                         1 / density(0.5, dimension),
                                         1 / density(0.8, dimension),
                                         1 / density(1.1, dimension),
                                         0};
    double total = 0;
    for (const double w : weights) total += w;
    for (std::size_t j = 1; j < weights.size(); ++j) {
        const double p = weights[j] / total;
        INFO("negative " << j);
        CHECK(std::abs(-share[j] - p) <= 4 * std::sqrt(p * (1 - p) / draws) + 1e-9);
    }
    CHECK(share[0] == Approx(1));
}

TEST_CASE("distance-weighted draws follow the generator, and take a number a pair", "[losses][pairs][miners]") {
    Anchors anchors({0.6, 0.7, 0.8, 0.9, 1.0}, {1, 2, 3, 2, 2}, 50);
    const TripletTerms terms{.margin = wide, .miner = TripletMiner::distance_weighted, .dimension = 4};
    Generator generator(3);
    const auto draw = [&] {
        anchors.distances.clear_grad();
        triplet_loss(anchors.distances, {.rows = anchors.rows, .columns = anchors.columns}, terms, generator)
            .backward();
        return anchors.distances.grad().to_vector<double>();
    };
    const Counts first = draw();
    CHECK(generator.counter() == 250);
    CHECK(draw() != first);
    generator.restore(3, 0);
    CHECK(draw() == first);
}

TEST_CASE("a recorded step draws other triplets at each launch", "[losses][pairs][miners][device]") {
    Anchors anchors({0.6, 0.7, 0.8, 0.9, 1.0}, {1, 2, 3, 2, 2}, 50);
    const TripletTerms terms{.margin = wide, .miner = TripletMiner::distance_weighted, .dimension = 4};
    StepGraph graph(default_device(), [&] {
        anchors.distances.clear_grad();
        triplet_loss(anchors.distances, {.rows = anchors.rows, .columns = anchors.columns}, terms).backward();
    });
    std::vector<Counts> drawn;
    for (int step = 0; step < 5; ++step) {
        graph.run();
        drawn.push_back(anchors.distances.grad().to_vector<double>());
    }
    REQUIRE(graph.recorded());
    for (std::size_t step = 1; step < drawn.size(); ++step) CHECK(drawn[step] != drawn[step - 1]);
}

}  // namespace radial::test
