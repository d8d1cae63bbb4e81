// Tests of the precision of softmax heads and of log-sum-exp in float32 at difficult inputs: large logits, points far
// from the origin, kernels that are nearly 0. The exact values are computed in float64 or known.
#include "../../core/random_inputs.h"
#include "../../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

#include <functional>

using namespace radial;
using namespace radial::test;

namespace {

/// A head over features [N, D] and class vectors [C, D].
struct Head {
    std::string name;
    std::function<Tensor(const Tensor& x, const Tensor& w, const Tensor& y, const HeadOptions& options)> loss;
};
const Head distance_head = {"distances", [](const auto& x, const auto& w, const auto& y, const auto& o) {
                                return distance_softmax_loss(x, w, y, {}, o);
                            }};
const Head margin_head = {"distances with a margin", [](const auto& x, const auto& w, const auto& y, const auto& o) {
                              return distance_softmax_loss(x, w, y, {.gamma = 0.5, .margin = 1}, o);
                          }};
const Head kernel_head = {"kernels", [](const auto& x, const auto& w, const auto& y, const auto& o) {
                              return rbf_softmax_loss(x, w, y, {.scale = 8, .gamma = 1, .margin = 0.5}, o);
                          }};
const Head wide_head = {"wide kernels", [](const auto& x, const auto& w, const auto& y, const auto& o) {
                            return rbf_softmax_loss(x, w, y, {.scale = 100, .gamma = 1e4}, o);
                        }};
const std::vector<Head> heads = {
    {"products",
     [](const auto& x, const auto& w, const auto& y, const auto& o) { return softmax_loss(x, w, {}, y, o); }},
    distance_head,
    margin_head,
    kernel_head,
    wide_head,
    {"cosines", [](const auto& x, const auto& w, const auto& y,
                   const auto& o) { return cosine_softmax_loss(x, w, y, {.scale = 1000, .cosine = 0.35}, o); }},
    {"cosines scaled by the length",
     [](const auto& x, const auto& w, const auto& y, const auto& o) {
         return cosine_softmax_loss(x, w, y, {.scale = 1, .multiple = 4, .scale_factor = row_norms(x)}, o);
     }},
};

struct Result {
    double loss;
    Tensor feature, classes;  ///< the gradients
};
Result run(const Head& head, Tensor x, Tensor w, const Tensor& y, DType dtype, const HeadOptions& options = {}) {
    // Rounds the inputs to float32, so that both types get the same values.
    x = x.to(DType::float32).to(dtype).clone().set_requires_grad();
    w = w.to(DType::float32).to(dtype).clone().set_requires_grad();
    const Tensor loss = head.loss(x, w, y, options);
    loss.backward();
    return {loss.item(), x.grad(), w.grad()};
}

/// Compares float32 with float64; differences are relative to each result's largest magnitude.
void check_digits(const Head& head, const Tensor& x, const Tensor& w, const Tensor& y, double tolerance) {
    const Result exact = run(head, x, w, y, DType::float64);
    for (const bool recompute : {false, true}) {
        INFO(head.name << (recompute ? ", recomputed" : ""));
        const Result found = run(head, x, w, y, DType::float32, {.recompute = recompute});
        CHECK(found.loss == Approx(exact.loss).epsilon(tolerance));
        CHECK(relative_difference(found.feature, exact.feature, 1e-30) < tolerance);
        CHECK(relative_difference(found.classes, exact.classes, 1e-30) < tolerance);
    }
}

/// Random rows of the given length.
Tensor of_length(RandomInputs& random, const Shape& shape, double length) {
    return unit_rows(random.tensor(shape)) * length;
}

Tensor shifted(const Tensor& x, double by) { return x + by; }

/// The gradient of cross_entropy with respect to one row of logits with the label 0. Sets `loss` to its value.
std::vector<double> logit_gradient(const std::vector<float>& logits, double* loss, double smoothing = 0) {
    Tensor z = Tensor::from(logits, {1, static_cast<std::int64_t>(logits.size())});
    z.set_requires_grad();
    const Tensor value = cross_entropy(z, Tensor::from<std::int64_t>({0}, {1}), smoothing);
    value.backward();
    *loss = value.item();
    return z.grad().to_vector<double>();
}

}  // namespace

TEST_CASE("cross_entropy depends on differences of logits alone", "[head]") {
    for (const double offset : {0.0, 64.0, 1000.0, -1e4, 1e6, 1e8}) {
        for (const double gap : {-8.0, 0.0, 8.0}) {
            const std::vector<float> z{static_cast<float>(offset + gap), static_cast<float>(offset)};
            INFO("logits " << z[0] << " and " << z[1]);
            const double below = double{z[1]} - double{z[0]}, other = 1 / (1 + std::exp(-below));
            double loss = 0;
            const auto gradient = logit_gradient(z, &loss);
            CHECK(loss == Approx(std::log1p(std::exp(below))).epsilon(1e-6));
            CHECK(gradient[0] == Approx(-other).epsilon(1e-6));
            CHECK(gradient[1] == Approx(other).epsilon(1e-6));
        }
    }
}

TEST_CASE("smoothed cross_entropy depends on differences of logits alone", "[head]") {
    double at_0 = 0, far = 0;
    const auto expected = logit_gradient({1, 0, -2}, &at_0, 0.2),
               found = logit_gradient({16385, 16384, 16382}, &far, 0.2);
    CHECK(far == Approx(at_0).epsilon(1e-6));
    for (std::size_t j = 0; j < 3; ++j) CHECK(found[j] == Approx(expected[j]).epsilon(1e-6));
}

TEST_CASE("the loss of a sample that is almost certain, and its gradient, keep their digits", "[head]") {
    double loss = 0;
    const auto gradient = logit_gradient({40, 0}, &loss);
    const double rest = std::exp(-40);
    CHECK(loss == Approx(rest).epsilon(1e-5).margin(0));
    CHECK(gradient[0] == Approx(-rest).epsilon(1e-5).margin(0));
    CHECK(gradient[1] == Approx(rest).epsilon(1e-5).margin(0));
}

TEST_CASE("log_softmax and log_sum_exp depend on differences alone but for their own size", "[head]") {
    for (const double offset : {1000.0, -1e4, 1e6, 1e8}) {
        INFO("offset " << offset);
        Tensor z = Tensor::from(std::vector<float>(4, static_cast<float>(offset)), {2, 2});
        z.set_requires_grad();
        const Tensor y = log_softmax(z);
        for (const double v : y.to_vector<double>()) CHECK(v == Approx(-std::log(2)).epsilon(1e-6));
        backward(y, Tensor::from<float>({1, 0, 0, 1}, {2, 2}));
        CHECK(z.grad().to_vector<double>()[0] == Approx(0.5).epsilon(1e-6));
        z.clear_grad();
        sum(log_sum_exp(z)).backward();
        for (const double v : z.grad().to_vector<double>()) CHECK(v == Approx(0.5).epsilon(1e-6));
    }
}

TEST_CASE("heads keep their digits for features of any length", "[head]") {
    for (const double length : {1e-6, 1.0, 30.0, 300.0, 1e4}) {
        RandomInputs random(501);
        // Sizes for which distances are computed from differences or from a product; the last needs several blocks of
        // classes.
        for (const auto& [n, c, d] :
             std::vector<std::array<std::int64_t, 3>>{{6, 5, 4}, {48, 300, 32}, {1100, 300, 3}}) {
            INFO(n << " features of " << d << ", " << length << " long, " << c << " classes");
            const Tensor x = of_length(random, {n, d}, length), w = random.tensor({c, d}), y = random.labels(n, c);
            for (const Head& head : heads) {
                // Logits grow with the features' length, or with its square, and so do their absolute rounding errors.
                const bool squares = head.name.starts_with("distances");
                if (squares && length > 300) continue;
                const double logit = std::max(1.0, length);
                check_digits(head, x, w, y, squares ? std::min(0.02, 2e-5 * logit * logit) : 2e-5 * logit);
            }
        }
    }
}

TEST_CASE("RBF-Softmax with a margin keeps its digits where the kernel is small", "[head]") {
    RandomInputs random(502);
    for (const double length : {3.0, 4.0, 4.5, 6.0}) {
        INFO("features " << length << " long");
        const Tensor x = of_length(random, {5, 3}, length), w = random.tensor({4, 3}, -0.1, 0.1),
                     y = random.labels(5, 4);
        check_digits(kernel_head, x, w, y, 3e-5);
    }
}

TEST_CASE("distance heads keep their digits where all lies far from the origin", "[head]") {
    for (const auto& [n, c, d] : std::vector<std::array<std::int64_t, 3>>{{4, 6, 3}, {64, 700, 16}, {1100, 300, 3}}) {
        INFO(n << " features of " << d << ", " << c << " classes");
        RandomInputs random(503);
        const Tensor w = shifted(random.tensor({c, d}), 4096), y = random.labels(n, c);
        const Tensor x = gather_rows(w, y) + random.tensor({n, d}, -0.3, 0.3);
        for (const Head& head : {distance_head, margin_head, kernel_head, wide_head}) check_digits(head, x, w, y, 2e-5);
    }
}

TEST_CASE("prototypes a unit apart far from the origin are told apart", "[head]") {
    // The distances are 0 and 1: the loss is log(1 + exp(-6)) at any position.
    Tensor w = Tensor::from<float>({4096, 4096, 4097, 4096}, {2, 2}), x = Tensor::from<float>({4096, 4096}, {1, 2});
    const Tensor y = Tensor::from<std::int64_t>({0}, {1});
    CHECK(distance_softmax_loss(x, w, y, {.gamma = 6}).item() == Approx(std::log1p(std::exp(-6))).epsilon(1e-6));
}

TEST_CASE("distance heads keep their digits among clusters that lie far apart", "[head]") {
    RandomInputs random(504);
    const std::int64_t n = 64, c = 512, d = 16;
    const Tensor sides = Tensor::from<double>({-300, 300}, {2, 1});
    const Tensor w = random.tensor({c, d}) + reshape(gather_rows(sides, random.labels(c, 2)), {c, 1});
    const Tensor y = random.labels(n, c), x = gather_rows(w, y) + random.tensor({n, d}, -0.3, 0.3);
    // For near points the losses use differences; the gradients do so only for a feature and its own prototype.
    for (const Head& head : {distance_head, kernel_head, wide_head}) check_digits(head, x, w, y, 1e-3);
}

TEST_CASE("squared distances of many rows keep their digits far from the origin, gradients too", "[head]") {
    RandomInputs random(505);
    const Tensor x = shifted(random.tensor({300, 200}), 4096).to(DType::float32);
    const Tensor w = shifted(random.tensor({300, 200}), 4096).to(DType::float32), by = random.tensor({300, 300});
    const auto gradients = [&](DType dtype) {
        Tensor a = x.to(dtype).clone().set_requires_grad(), b = w.to(dtype).clone().set_requires_grad();
        const Tensor y = squared_distances(a, b);
        backward(y, by.to(dtype));
        return std::vector<Tensor>{y.detach(), a.grad(), b.grad()};
    };
    const auto exact = gradients(DType::float64), found = gradients(DType::float32);
    for (std::size_t i = 0; i < exact.size(); ++i) CHECK(relative_difference(found[i], exact[i]) < 5e-6);
}

TEST_CASE("an outlier among the prototypes costs the others no digits", "[head]") {
    RandomInputs random(506);
    const std::int64_t n = 64, c = 300, d = 16;
    const Tensor w = concat({random.tensor({c - 1, d}), Tensor::full({1, d}, 1e5, DType::float64)}, 0);
    check_digits(distance_head, random.tensor({n, d}), w, random.labels(n, c - 1), 2e-5);
}

TEST_CASE("losses over pairs keep their digits at low temperatures and high scales", "[pairs]") {
    RandomInputs random(507);
    // Exponents of about 700, with differences of about 1.
    const Tensor s = shifted(random.tensor({6, 6}, 0, 2e-3), 0.7).to(DType::float32),
                 y = Tensor::from<std::int64_t>({0, 1, 0, 1, 2, 2}, {6});
    const std::vector<std::pair<std::string, std::function<Tensor(const Tensor&)>>> losses = {
        {"supervised contrastive", [&](const Tensor& m) { return supervised_contrastive_loss(m, {.rows = y}, 1e-3); }},
        {"multi-similarity",
         [&](const Tensor& m) {
             return multi_similarity_loss(m, {.rows = y}, {.alpha = 1000, .beta = 1000, .base = 0.5, .mining = false});
         }},
        {"proxy-anchor",
         [&](const Tensor& m) {
             return proxy_anchor_loss(m, {.rows = y, .columns = y}, {.alpha = 1000, .delta = 0.1});
         }},
    };
    for (const auto& [name, loss] : losses) {
        INFO(name);
        const auto result = [&, &f = loss](DType dtype) {
            Tensor m = s.to(dtype).clone().set_requires_grad();
            const Tensor value = f(m);
            value.backward();
            return std::pair{value.item(), m.grad()};
        };
        const auto [exact, exact_gradient] = result(DType::float64);
        const auto [found, gradient] = result(DType::float32);
        CHECK(found == Approx(exact).epsilon(1e-6));
        CHECK(relative_difference(gradient, exact_gradient) < 2e-4);
    }
}

TEST_CASE("equally similar pairs share the gradient however low the temperature", "[pairs]") {
    // All similarities are equal, so that each of an anchor's five pairs has a softmax probability of a fifth.
    Tensor s = Tensor::full({6, 6}, 0.7);
    s.set_requires_grad();
    const Tensor y = Tensor::from<std::int64_t>({0, 0, 1, 1, 2, 2}, {6});
    const Tensor loss = supervised_contrastive_loss(s, {.rows = y}, 1e-4);
    CHECK(loss.item() == Approx(std::log(5)).epsilon(1e-6));
    loss.backward();
    const auto gradient = s.grad().to_vector<double>();
    CHECK(gradient[1] == Approx(1e4 / 6 * (0.2 - 1)).epsilon(1e-5));
    CHECK(gradient[2] == Approx(1e4 / 6 * 0.2).epsilon(1e-5));
}
