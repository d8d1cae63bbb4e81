// Tests of the fused head over cosines: margins computed by hand, and features of length 0.
#include "radial/losses/functional.h"

#include <cmath>

namespace radial::test {

TEST_CASE("the other classes' cosines are scaled, and the own one has its margin") {
    const Tensor x = Tensor::from<double>({3, 4}, {1, 2}), w = Tensor::from<double>({5, 0, 0, 0.2}, {2, 2});
    const Tensor labels = Tensor::from<std::int64_t>({0}, {1});
    Tensor own;
    const double loss = cosine_softmax_loss(x, w, labels, {.scale = 10, .angle = 0.4, .cosine = 0.1}, {}, &own).item();
    const double own_logit = 10 * (std::cos(std::acos(0.6) + 0.4) - 0.1), other = 10 * 0.8;
    CHECK(loss == Approx(std::log(1 + std::exp(other - own_logit))).epsilon(1e-12));
    CHECK(own.item() == Approx(0.6));
}

TEST_CASE("past pi the angle's margin is a line") {
    const Tensor labels = Tensor::from<std::int64_t>({0}, {1});
    const Tensor cosine = Tensor::from<double>({-0.95, 0.1}, {1, 2});
    const double own = -0.95 - 0.5 * std::sin(0.5);
    CHECK(margin_cross_entropy(cosine, labels, {.scale = 2, .angle = 0.5}).item() ==
          Approx(std::log(1 + std::exp(2 * (0.1 - own)))).epsilon(1e-12));
}

TEST_CASE("a zero feature has cosine 0 with every class and gets no gradient") {
    Tensor x = Tensor::zeros({2, 3}), w = Tensor::full({4, 3}, 1.0);
    x.set_requires_grad();
    w.set_requires_grad();
    const Tensor labels = Tensor::from<std::int64_t>({0, 3}, {2});
    const Tensor loss = cosine_softmax_loss(x, w, labels, {.scale = 64, .angle = 0.5});
    loss.backward();
    CHECK(std::isfinite(loss.item()));
    CHECK(x.grad().to_vector<float>() == std::vector<float>(6, 0.0F));
    for (const float g : w.grad().to_vector<float>()) CHECK(std::isfinite(g));
}

}  // namespace radial::test
