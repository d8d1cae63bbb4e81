// Tests of regularisers: values computed by hand, state between batches, gradients, messages.
#include "radial/losses/regularisers.h"
#include "../core/gradcheck.h"
#include "batches.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <cmath>

namespace radial::test {
namespace {

constexpr std::int64_t classes = 5, dim = 3;

}  // namespace

TEST_CASE("centres move to their class's samples as the paper's equation says", "[losses][center]") {
    Center center({.classes = 3, .dim = 2, .alpha = 0.5});
    const Tensor centres = named(center, "centres");
    centres.copy_(matrix({0, 0, 1, 1, 5, 5}, 2));
    const Tensor feature = matrix({2, 4, 4, 8, 1, 3}, 2);
    const Tensor loss = center.forward(feature, label_list({0, 0, 1}), {});
    // Computed with the old centres: (4 + 16 + 16 + 64 + 0 + 4) / 3 / 2.
    CHECK(loss.item() == Approx(104.0 / 6));
    // The centre of class 0 moves by minus half of ((0, 0) - (2, 4) + (0, 0) - (4, 8)) / 3, that of class 1 by half of
    // (0, 2) / 2; that of class 2 does not move.
    const auto moved = centres.to_vector<double>();
    const std::vector<double> expected = {1, 2, 1, 1.5, 5, 5};
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(moved[i] == Approx(expected[i]));
}

TEST_CASE("centres stay where they are in evaluation", "[losses][center]") {
    const auto loss = make_loss("center", 6, 4);
    loss->eval();
    const auto before = named(*loss, "term1.centres").to_vector<float>();
    const auto [feature, labels] = batch_of(5);
    loss->forward(feature, labels);
    CHECK(differences(named(*loss, "term1.centres").to_vector<float>(), before) == "");
}

TEST_CASE("a batch's gradient is that of the centres before they moved", "[losses][center]") {
    Center center({.classes = 1, .dim = 1, .alpha = 1});
    named(center, "centres").fill_(2);
    Tensor feature = matrix({5}, 1);
    feature.set_requires_grad();
    center.forward(feature, label_list({0}), {}).backward();
    CHECK(feature.grad().item() == Approx(3));
    CHECK(named(center, "centres").item() == Approx(3.5));
}

TEST_CASE("ring's radius starts at the mean length of the first training batch, once", "[losses][ring]") {
    Ring ring;
    const Tensor first = matrix({3, 4, 0, 1}, 2), labels = label_list({0, 1});
    ring.eval();
    ring.forward(first, labels, {});
    CHECK(named(ring, "radius").item() == 1);
    ring.train();
    CHECK(ring.forward(first, labels, {}).item() == Approx(0.5 * 4));
    CHECK(named(ring, "radius").item() == Approx(3));
    ring.forward(matrix({30, 40, 0, 10}, 2), labels, {});
    CHECK(named(ring, "radius").item() == Approx(3));
}

TEST_CASE("a ring read back from a checkpoint keeps its radius", "[losses][ring]") {
    Ring trained, read;
    const Tensor labels = label_list({0, 1});
    trained.forward(matrix({3, 4, 0, 1}, 2), labels, {});
    read.load_state(trained.state());
    read.forward(matrix({30, 40, 0, 10}, 2), labels, {});
    CHECK(named(read, "radius").item() == Approx(3));
}

TEST_CASE("compact measures to the nearest of the own class's prototypes", "[losses][compact]") {
    Compact compact(2);
    const Tensor prototypes = matrix({0, 0, 10, 10, 3, 0, 0, 3}, 2);  // two per class
    const Tensor feature = matrix({9, 10, 0, 1}, 2);
    CHECK(compact.forward(feature, label_list({0, 1}), prototypes).item() == Approx((1 + 4) / 2.0));
    CHECK(compact.forward(feature, label_list({0, 1}), prototypes.rows(0, 2)).item() == Approx((181.0 + 181.0) / 2));
}

TEST_CASE("exclusive is the mean over classes of the largest cosine to another", "[losses][exclusive]") {
    Exclusive exclusive(3);
    const Tensor prototypes = matrix({2, 0, 0, 3, -1, -1}, 2);
    // (1, 0) and (0, 1) are at 90 degrees; both are at 135 degrees from the third.
    const double expected = (0 + 0 - std::sqrt(0.5)) / 3;
    CHECK(exclusive.forward({}, {}, prototypes).item() == Approx(expected));
}

TEST_CASE("exclusive regularisation takes the nearest among more classes than it looks at together", "[losses]") {
    constexpr std::int64_t many = 1100;
    Tensor prototypes = Tensor::empty({many, 3}), other = Tensor::empty({many, 3});
    normal_(prototypes, 0, 1);
    other.copy_(prototypes);
    prototypes.set_requires_grad();
    other.set_requires_grad();
    std::vector<std::int64_t> numbers;
    for (std::int64_t c = 0; c < many; ++c) numbers.push_back(c);
    const Tensor none = place(Tensor::full({many}, -10), label_list(numbers), many);
    const Tensor expected = mean(max(cosines(other, other) + none, 1)),
                 found = Exclusive(many).forward({}, {}, prototypes);
    CHECK(found.item() == Approx(expected.item()).epsilon(1e-5));
    expected.backward();
    found.backward();
    CHECK(relative_difference(prototypes.grad(), other.grad()) < 1e-4);
}

TEST_CASE("the range loss is softmax plus its regulariser", "[losses][pairs]") {
    RandomInputs random(12);
    const LossSettings settings = {{"alpha", 0.2}, {"beta", 0.1}, {"margin", 30}};
    const auto published = make_loss("range", 4, dim, settings);
    const auto sum = make_loss("softmax + range", 4, dim, settings);
    sum->load_state(published->state());
    const Tensor feature = random.tensor({6, dim}, -2, 2, DType::float32), labels = label_list({0, 1, 0, 1, 0, 2});
    CHECK(run(*published, feature, labels).value == run(*sum, feature, labels).value);
}

TEST_CASE("range is the harmonic mean of the largest distances and the gap between the nearest centres",
          "[losses][pairs]") {
    Range range({.alpha = 1, .beta = 10, .margin = 20});
    const Tensor feature = matrix({0, 1, 3, 6, 8}, 1);
    // Class 0: the squared distances are 1, 9 and 4; the harmonic mean of the largest two is 72 / 13. Class 1: the only
    // squared distance is 4. The centres are 4/3 and 7; their squared distance (17/3)^2 is larger than the margin.
    CHECK(range.forward(feature, label_list({0, 0, 0, 1, 1}), {}).item() == Approx(72.0 / 13 + 4));
    Range wider({.alpha = 0, .beta = 10, .margin = 40});
    CHECK(wider.forward(feature, label_list({0, 0, 0, 1, 1}), {}).item() == Approx(10 * (40 - 289.0 / 9)));
}

TEST_CASE("regularisers on prototypes have the gradients of their differences", "[losses][gradcheck]") {
    RandomInputs random(23);
    const Tensor labels = random.labels(4, classes);
    Compact compact(classes);
    Exclusive exclusive(classes);
    for (const std::int64_t each : {1, 2}) {
        const auto f = [&](const auto& in) { return compact.forward(in[0], labels, in[1]); };
        CHECK(gradient_problem(f, {random.distinct({4, dim}), random.distinct({classes * each, dim})}) == "");
    }
    CHECK(gradient_problem([&](const auto& in) { return exclusive.forward({}, {}, in[0]); },
                           {random.distinct({classes, dim})}) == "");
}

TEST_CASE("regularisers say what they need of the loss beside them", "[losses]") {
    const Tensor feature = Tensor::zeros({2, dim}), labels = Tensor::from(std::vector<std::int64_t>{0, 1}, {2});
    CHECK(error_of([] { Exclusive(1); }) == "Exclusive: classes is 1, expected at least 2");
    CHECK(error_of([] { Compact(0); }) == "Compact: classes is 0, expected at least 1");
    CHECK(error_of([] { Center({.classes = 0}); }) == "Center: classes 0 and dim 32 must each be at least 1");
    CHECK(error_of([&] { Compact(5).forward(feature, labels, {}); }) ==
          "Compact: the loss beside it has no prototypes");
    CHECK(error_of([&] { Exclusive(5).forward(feature, labels, {}); }) ==
          "Exclusive: the loss beside it has no prototypes");
    CHECK(error_of([&] {
              Compact(5).forward(feature, labels, Tensor::zeros({7, dim}));
          }) == "Compact: prototypes are [7, 3], expected as many for each of 5 classes");
    CHECK(error_of([&] {
              Exclusive(5).forward(feature, labels, Tensor::zeros({10, dim}));
          }) == "Exclusive: prototypes are [10, 3], expected one for each of 5 classes");
    CHECK(error_of([&] { Ring().forward(Tensor::zeros({2}), labels, {}); }) ==
          "Ring: feature is float32[2], expected [N, D]");
    CHECK(error_of([&] { Center({.classes = 5, .dim = 4}).forward(feature, labels, {}); }) ==
          "Center: feature has dimension 3, prototypes have 4");
}

}  // namespace radial::test
