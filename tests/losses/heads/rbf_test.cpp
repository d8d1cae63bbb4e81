// Tests of the fused RBF-Softmax head: gradients, comparison with composed ops, and its metrics.
#include "../../core/gradcheck.h"
#include "radial/losses/functional.h"

namespace radial::test {
namespace {

const std::vector<std::pair<std::int64_t, std::int64_t>> sizes = {{1, 1}, {1, 5}, {3, 2}, {5, 7}, {8, 10}, {2, 33}};

/// |x_i - W_j|^2 as [N, C], computed by broadcasting ops.
Tensor broadcast_distances(const Tensor& feature, const Tensor& prototypes) {
    const Tensor x = reshape(feature, {feature.size(0), 1, feature.size(1)});
    const Tensor w = reshape(prototypes, {1, prototypes.size(0), prototypes.size(1)});
    return sum(square(x - w), {2});
}

}  // namespace

TEST_CASE("gradients of rbf_softmax_loss and rbf_logits agree with differences at several scales and widths") {
    RandomInputs random(94);
    for (const auto& [n, c] : sizes) {
        for (const std::int64_t d : {1, 2, 5, 32}) {
            for (const auto& [scale, gamma] : {std::pair{2.0, 1.0}, {1.0, 0.5}, {4.0, 3.0}, {16.0, 10.0}}) {
                INFO(n << " features of " << d << ", " << c << " classes, s " << scale << ", gamma " << gamma);
                const Tensor labels = random.labels(n, c);
                const std::vector<Tensor> inputs{random.tensor({n, d}), random.tensor({c, d})};
                const double s = scale, g = gamma;
                CHECK(gradient_problem(
                          [=](const auto& in) {
                              return rbf_softmax_loss(in[0], in[1], labels, {.scale = s, .gamma = g});
                          },
                          inputs, {.elements = 16}) == "");
                CHECK(gradient_problem([=](const auto& in) { return rbf_logits(in[0], in[1], s, g); }, inputs,
                                       {.elements = 16}) == "");
            }
        }
    }
}

TEST_CASE("rbf_softmax_loss is the cross-entropy of its composition from ops, gradients included") {
    RandomInputs random(98);
    const Tensor labels = random.labels(9, 4);
    const auto run = [&](bool fused) {
        RandomInputs same(99);
        std::vector<Tensor> leaves{same.tensor({9, 6}), same.tensor({4, 6})};
        for (Tensor& leaf : leaves) leaf.set_requires_grad();
        const Tensor kernel = radial::exp(broadcast_distances(leaves[0], leaves[1]) * (-1 / 1.7));
        const Tensor loss = fused ? rbf_softmax_loss(leaves[0], leaves[1], labels, {.scale = 3.0, .gamma = 1.7})
                                  : cross_entropy(3.0 * kernel, labels);
        loss.backward();
        return std::vector<Tensor>{loss.detach(), leaves[0].grad(), leaves[1].grad()};
    };
    const auto fused = run(true), composed = run(false);
    for (std::size_t i = 0; i < fused.size(); ++i) CHECK(relative_difference(fused[i], composed[i]) < 1e-12);
}

TEST_CASE("rbf_softmax_loss measures the mean kernel and distance to each feature's own prototype") {
    const Tensor feature = Tensor::from<double>({0, 0, 3, 4}, {2, 2}),
                 prototypes = Tensor::from<double>({1, 0, 3, 2}, {2, 2});
    const Tensor labels = Tensor::from<std::int64_t>({0, 1}, {2});
    RbfStatistics statistics;
    rbf_softmax_loss(feature, prototypes, labels, {.scale = 2.0, .gamma = 2.0}, {}, &statistics);
    CHECK(statistics.mean_distance.item() == Approx(2.5));
    CHECK(statistics.mean_kernel.item() == Approx((std::exp(-0.5) + std::exp(-2.0)) / 2));
}

TEST_CASE("with every kernel dead the RBF loss is log C and its gradient zero") {
    const Tensor labels = Tensor::from<std::int64_t>({0, 3}, {2});
    Tensor feature = Tensor::full({2, 3}, 100), prototypes = Tensor::full({10, 3}, -100);
    feature.set_requires_grad();
    const Tensor loss = rbf_softmax_loss(feature, prototypes, labels, {.scale = 2.0, .gamma = 1.0});
    CHECK(loss.item() == Approx(std::log(10.0)));
    loss.backward();
    CHECK(feature.grad().to_vector<double>() == std::vector<double>(6, 0.0));
}

TEST_CASE("statistics of rbf_softmax_loss stay on the feature's device and have no history") {
    RandomInputs random(103);
    Tensor feature = random.tensor({4, 3}).set_requires_grad();
    RbfStatistics statistics;
    rbf_softmax_loss(feature, random.tensor({5, 3}), random.labels(4, 5), {.scale = 2, .gamma = 2}, {}, &statistics);
    for (const Tensor& value : {statistics.mean_kernel, statistics.mean_distance}) {
        CHECK(value.shape() == Shape());
        CHECK(value.device() == feature.device());
        CHECK_FALSE(value.requires_grad());
    }
}

}  // namespace radial::test
