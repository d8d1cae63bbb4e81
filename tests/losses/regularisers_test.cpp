// Losses and regularisers composed from ops: what they do beside their value, and each other's limits.
#include "../core/random_inputs.h"
#include "../expect.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/ops.h"
#include "radial/losses/cosine_losses.h"
#include "radial/losses/functional.h"
#include "radial/losses/prototype_losses.h"
#include "radial/losses/rbf_network.h"
#include "radial/losses/regularisers.h"
#include "radial/losses/softmax.h"

#include <cmath>

namespace radial::test {
namespace {

Tensor matrix(const std::vector<float>& values, std::int64_t columns) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size()) / columns, columns});
}
Tensor label_list(const std::vector<std::int64_t>& labels) {
    return Tensor::from(labels, {static_cast<std::int64_t>(labels.size())});
}

Tensor named(const Module& module, const std::string& name) {
    for (const auto& [key, tensor] : module.state())
        if (key == name) return tensor;
    FAIL("no tensor is called " << name);
    return {};
}

/// A loss whose state is another's, built with other settings.
std::unique_ptr<Loss> with_state(const std::string& name, const Loss& other, const LossSettings& settings) {
    auto loss = make_loss(name, 6, 4, settings);
    loss->load_state(other.state());
    return loss;
}

struct Batch {
    Tensor feature, labels;
};
Batch batch_of(std::int64_t rows, std::uint64_t seed = 5) {
    RandomInputs random(seed);
    return {random.tensor({rows, 4}, -1, 1, DType::float32), random.labels(rows, 6)};
}

}  // namespace

TEST_CASE("centres move to their class's samples as the paper's equation says", "[losses][center]") {
    Center center({.classes = 3, .dim = 2, .alpha = 0.5});
    const Tensor centres = named(center, "centres");
    centres.copy_(matrix({0, 0, 1, 1, 5, 5}, 2));
    const Tensor feature = matrix({2, 4, 4, 8, 1, 3}, 2);
    const Tensor loss = center.forward(feature, label_list({0, 0, 1}), {});
    // From the old centres: (4 + 16 + 16 + 64 + 0 + 4) / 3 / 2.
    CHECK(loss.item() == Approx(104.0 / 6));
    // Class 0: minus half of ((0, 0) - (2, 4) + (0, 0) - (4, 8)) / 3; class 1: half of (0, 2) / 2; class 2 stays.
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

TEST_CASE("the units of an RBF network start on the first training batch", "[losses][rbf-network]") {
    RbfNetwork loss({.classes = 3, .dim = 2, .units_per_class = 1});
    const Tensor feature = matrix({0, 0, 3, 4}, 2), labels = label_list({0, 1});
    loss.forward(feature, labels);
    CHECK(named(loss, "centres").to_vector<float>() == std::vector<float>{0, 0, 3, 4, 0, 0});
    // Of the six distances between two features and three centres, three are 25.
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
    // Half of the squared distances are 0.02^2, so all lengths grow by 1 / sqrt(0.0002) around (1, 1.01).
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

TEST_CASE("compact measures to the nearest of the own class's prototypes", "[losses][compact]") {
    Compact compact(2);
    const Tensor prototypes = matrix({0, 0, 10, 10, 3, 0, 0, 3}, 2);  // two a class
    const Tensor feature = matrix({9, 10, 0, 1}, 2);
    CHECK(compact.forward(feature, label_list({0, 1}), prototypes).item() == Approx((1 + 4) / 2.0));
    CHECK(compact.forward(feature, label_list({0, 1}), prototypes.rows(0, 2)).item() == Approx((181.0 + 181.0) / 2));
}

TEST_CASE("exclusive is the mean over classes of the largest cosine to another", "[losses][exclusive]") {
    Exclusive exclusive(3);
    const Tensor prototypes = matrix({2, 0, 0, 3, -1, -1}, 2);
    // (1, 0) and (0, 1) are at 90 degrees, each at 135 from the third.
    const double expected = (0 + 0 - std::sqrt(0.5)) / 3;
    CHECK(exclusive.forward({}, {}, prototypes).item() == Approx(expected));
}

TEST_CASE("several equal prototypes a class are as good as one", "[losses][cpl]") {
    Cpl one({.classes = 6, .dim = 4}), three({.classes = 6, .dim = 4, .prototypes_per_class = 3});
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < 18; ++i) rows.push_back(i / 3);
    three.prototypes().copy_(gather_rows(one.prototypes().detach(), label_list(rows)));
    const auto [feature, labels] = batch_of(7);
    CHECK(three.forward(feature, labels).item() == Approx(one.forward(feature, labels).item()).epsilon(1e-5));
}

TEST_CASE("lgm with a diagonal covariance of 1 is lgm with the identity", "[losses][lgm]") {
    const auto diagonal = make_loss("lgm", 6, 4, {{"covariance", 1}, {"alpha", 0.4}, {"lambda", 0.7}});
    const auto identity = make_loss("lgm", 6, 4, {{"alpha", 0.4}, {"lambda", 0.7}});
    identity->load_state({{"means", named(*diagonal, "means")}});
    const auto [feature, labels] = batch_of(7);
    CHECK(diagonal->forward(feature, labels).item() == Approx(identity->forward(feature, labels).item()).epsilon(1e-5));
    CHECK(relative_difference(diagonal->logits(feature), identity->logits(feature)) < 1e-5);
}

TEST_CASE("lgm with a diagonal covariance keeps its digits far from the origin", "[losses][lgm]") {
    for (const std::int64_t rows : {8, 12000}) {
        INFO(rows << " features");
        auto full = make_loss("lgm", 6, 4);
        const Tensor means = named(*full, "means");
        {
            const NoGrad no_grad;
            means.copy_(means + 4096.0);
        }
        auto diagonal = make_loss("lgm", 6, 4, {{"covariance", 1}});
        diagonal->load_state({{"means", means}, {"log_variances", Tensor::zeros({6, 4})}});
        const auto results = [&](Loss& loss) {
            Batch batch = batch_of(rows);
            Tensor feature = (batch.feature + 4096.0).detach().clone();
            feature.set_requires_grad();
            const Tensor value = loss.forward(feature, batch.labels);
            value.backward();
            return std::vector<Tensor>{value.detach(), feature.grad(), named(loss, "means").grad()};
        };
        const auto expected = results(*full), found = results(*diagonal);
        for (std::size_t i = 0; i < expected.size(); ++i) CHECK(relative_difference(found[i], expected[i]) < 1e-5);
    }
}

TEST_CASE("cos-softmax takes its scale from the rule unless it is told one", "[losses][cos-softmax]") {
    CHECK(CosSoftmax({.classes = 10}).scale() == Approx(0.5 * std::log(9e4) + 3));
    CHECK(CosSoftmax({.classes = 10, .scale = 30}).scale() == 30);
}

TEST_CASE("g-softmax without its distribution function is softmax", "[losses][g-softmax]") {
    const auto softmax = make_loss("softmax", 6, 4), other = make_loss("g-softmax", 6, 4, {{"alpha", 0}});
    named(*other, "weight").copy_(named(*softmax, "weight"));
    named(*other, "bias").copy_(named(*softmax, "bias"));
    const auto [feature, labels] = batch_of(7);
    CHECK(other->forward(feature, labels).item() == Approx(softmax->forward(feature, labels).item()).epsilon(1e-5));
}

TEST_CASE("soft-triple with one centre a class is a softmax over scaled cosines", "[losses][soft-triple]") {
    const auto triple = make_loss("soft-triple", 6, 4, {{"centres_per_class", 1}, {"delta", 0}, {"lambda", 30}});
    const auto cosine = make_loss("cos-softmax", 6, 4, {{"scale", 30}});
    named(*cosine, "weight").copy_(named(*triple, "centres"));
    const auto [feature, labels] = batch_of(7);
    CHECK(triple->forward(feature, labels).item() == Approx(cosine->forward(feature, labels).item()).epsilon(1e-5));
}

TEST_CASE("proxy-nca with and without the own proxy below the fraction are each other's softplus",
          "[losses][proxy-nca]") {
    const auto without = make_loss("proxy-nca", 6, 4);
    const auto with = with_state("proxy-nca", *without, {{"own_in_denominator", 1}});
    const auto [feature, labels] = batch_of(1);
    const double value = without->forward(feature, labels).item();
    CHECK(with->forward(feature, labels).item() == Approx(std::log1p(std::exp(value))).epsilon(1e-5));
}

TEST_CASE("a cross-entropy with its own normaliser is the cross-entropy", "[losses]") {
    RandomInputs random(9);
    const Tensor logits = random.tensor({7, 5}, -3, 3), labels = random.labels(7, 5),
                 weights = random.tensor({5}, 0.1, 2);
    for (const HeadOptions& options :
         {HeadOptions{}, HeadOptions{.smoothing = 0.3}, HeadOptions{.class_weights = weights},
          HeadOptions{.smoothing = 0.3, .class_weights = weights}}) {
        const Tensor own = normalised_cross_entropy(logits, log_sum_exp(logits), labels, options);
        CHECK(own.item() == Approx(cross_entropy(logits, labels, options).item()).epsilon(1e-10));
    }
}

TEST_CASE("a sample of a class with weight 0 does not count", "[losses]") {
    const std::vector<std::pair<std::string, LossSettings>> losses = {{"proxy-nca", {}},
                                                                      {"rbf-network", {{"squared_error", 1}}},
                                                                      {"g-softmax", {}},
                                                                      {"cpl", {{"prototypes_per_class", 2}}},
                                                                      {"center", {{"lambda", 1}}},
                                                                      {"ring", {{"lambda", 1}}},
                                                                      {"g-cpl", {{"lambda", 1}}},
                                                                      {"lgm", {{"lambda", 1}}},
                                                                      {"lgm", {{"lambda", 1}, {"covariance", 1}}},
                                                                      {"magface", {{"lower_length", 0.01}}},
                                                                      {"softmax + 0.5 * compact", {}},
                                                                      {"softmax + 0.5 * arcface", {}}};
    for (const auto& [name, settings] : losses) {
        INFO(name);
        const auto loss = make_loss(name, 6, 4, settings);
        loss->eval();
        loss->set_class_weights({1, 1, 0, 1, 1, 1});
        const Tensor feature = batch_of(3).feature;
        const double all = loss->forward(feature, label_list({0, 5, 2})).item();
        CHECK(all == Approx(loss->forward(feature.rows(0, 2), label_list({0, 5})).item()).epsilon(1e-5));
        CHECK(all != Approx(loss->forward(feature, label_list({0, 5, 4})).item()).epsilon(1e-5));
    }
}

TEST_CASE("class weights reach the terms that are means over samples, and no others", "[losses]") {
    const Batch batch = batch_of(6);
    const std::vector<double> weights = {1, 2, 3, 4, 5, 6};
    // What the term adds to its head's loss, weighted and not.
    const auto added = [&](const std::string& head, const std::string& sum, const std::vector<double>& counts) {
        const auto alone = make_loss(head, 6, 4), both = make_loss(sum, 6, 4);
        both->eval();
        for (const NamedTensor& own : alone->state()) own.tensor.copy_(named(*both, "head." + own.name));
        alone->set_class_weights(counts);
        both->set_class_weights(counts);
        return both->forward(batch.feature, batch.labels).item() - alone->forward(batch.feature, batch.labels).item();
    };
    for (const auto& [term, reached] :
         {std::pair("center", true), std::pair("ring", true), std::pair("compact", true), std::pair("cosface", true),
          std::pair("range", false), std::pair("exclusive", false), std::pair("triplet", false)}) {
        INFO(term);
        manual_seed(3);
        const double plain = added("softmax", std::string("softmax + 100 * ") + term, {});
        manual_seed(3);
        const double weighted = added("softmax", std::string("softmax + 100 * ") + term, weights);
        CHECK((weighted == Approx(plain).epsilon(1e-4)) == !reached);
    }
}

TEST_CASE("exclusive regularisation takes the nearest among more classes than it looks at together", "[losses]") {
    constexpr std::int64_t classes = 1100;
    Tensor prototypes = Tensor::empty({classes, 3}), other = Tensor::empty({classes, 3});
    normal_(prototypes, 0, 1);
    other.copy_(prototypes);
    prototypes.set_requires_grad();
    other.set_requires_grad();
    std::vector<std::int64_t> numbers;
    for (std::int64_t c = 0; c < classes; ++c) numbers.push_back(c);
    const Tensor none = place(Tensor::full({classes}, -10), label_list(numbers), classes);
    const Tensor expected = mean(max(cosines(other, other) + none, 1)),
                 found = Exclusive(classes).forward({}, {}, prototypes);
    CHECK(found.item() == Approx(expected.item()).epsilon(1e-5));
    expected.backward();
    found.backward();
    CHECK(relative_difference(prototypes.grad(), other.grad()) < 1e-4);
}

TEST_CASE("composed losses' training steps are recorded as graphs that move what they keep", "[losses][device]") {
    for (const std::string name :
         {"center", "ring", "rbf-network", "g-cpl", "lgm", "cos-softmax", "g-softmax", "soft-triple", "proxy-nca"}) {
        INFO(name);
        const auto recorded = make_loss(name, 6, 4), eager = make_loss(name, 6, 4);
        eager->load_state(recorded->state());
        recorded->to(default_device());
        eager->to(default_device());
        auto [feature, labels] = batch_of(7);
        feature.set_requires_grad();
        StepGraph graph(default_device(), [&, x = feature, y = labels] {
            recorded->zero_grad();
            x.clear_grad();
            recorded->forward(x, y).backward();
        });
        for (int step = 0; step < 4; ++step) {
            graph.run();
            eager->forward(feature.detach(), labels);
        }
        CHECK(graph.reason() == "");
        CHECK(graph.recorded());
        const auto ours = recorded->state(), theirs = eager->state();
        for (std::size_t i = 0; i < ours.size(); ++i)
            CHECK(relative_difference(ours[i].tensor, theirs[i].tensor) < 1e-6);
    }
}

}  // namespace radial::test
