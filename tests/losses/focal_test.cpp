// Tests of the focal loss: values computed by hand, probabilities near 0 and near 1, class weights, messages.
#include "radial/losses/focal.h"
#include "../core/random_inputs.h"
#include "batches.h"
#include "every_loss.h"

#include <cmath>

namespace radial::test {
namespace {

/// The loss and the gradient of one row of logits with label 0.
struct Row {
    double value;
    std::vector<double> gradient;
};
Row row_of(const std::vector<double>& logits, double gamma, DType dtype = DType::float64) {
    Tensor x = Tensor::from(logits, {1, static_cast<std::int64_t>(logits.size())}).to(dtype);
    x.set_requires_grad();
    const Tensor y = focal_cross_entropy(x, label_list({0}), gamma);
    sum(y).backward();
    return {y.to_vector<double>().front(), x.grad().to_vector<double>()};
}

}  // namespace

TEST_CASE("the focal loss of p = 0.25 is 0.75^2 log 4", "[losses][focal]") {
    CHECK(row_of({0, std::log(3.0)}, 2).value == Approx(0.75 * 0.75 * std::log(4.0)).epsilon(1e-12));
    CHECK(row_of({0, std::log(3.0)}, 0.5).value == Approx(std::sqrt(0.75) * std::log(4.0)).epsilon(1e-12));
}

TEST_CASE("the focal loss with gamma 0 is the cross-entropy, also in its gradient", "[losses][focal]") {
    RandomInputs random(3);
    Tensor x = random.tensor({7, 5}, -3, 3), other = x.clone();
    const Tensor labels = random.labels(7, 5);
    x.set_requires_grad();
    other.set_requires_grad();
    const Tensor focal = mean(focal_cross_entropy(x, labels, 0)), plain = cross_entropy(other, labels);
    focal.backward();
    plain.backward();
    CHECK(focal.item() == Approx(plain.item()).epsilon(1e-12));
    CHECK(relative_difference(x.grad(), other.grad()) < 1e-12);
}

TEST_CASE("the focal loss and its gradient are finite for any finite logits", "[losses][focal]") {
    for (const double gamma : {0.0, 0.5, 1.0, 2.0, 5.0}) {
        const Row certain = row_of({1e4, 0, -1e4}, gamma), wrong = row_of({-1e4, 0, 1e4}, gamma, DType::float32);
        CHECK(certain.value == 0);
        CHECK(certain.gradient == std::vector<double>{0, 0, 0});
        CHECK(wrong.value == 2e4);
        CHECK(wrong.gradient == std::vector<double>{-1, 0, 1});
    }
}

TEST_CASE("the focal loss of a single class is 0, and NaN stays NaN", "[losses][focal]") {
    CHECK(row_of({3}, 2).value == 0);
    CHECK(row_of({3}, 2).gradient == std::vector<double>{0});
    CHECK(row_of({3, -INFINITY}, 2).value == 0);
    CHECK(std::isnan(row_of({NAN, 1}, 2).value));
    CHECK(std::isnan(row_of({1, NAN}, 2).value));
}

TEST_CASE("the focal loss divides by the sum of the class weights of its samples", "[losses][focal]") {
    const auto loss = make_loss("focal", 6, 4);
    const Batch batch = batch_of(2);
    const Tensor labels = label_list({1, 4});
    const double first = loss->forward(batch.feature.rows(0, 1), labels.rows(0, 1)).item(),
                 second = loss->forward(batch.feature.rows(1, 2), labels.rows(1, 2)).item();
    loss->set_class_weights({1, 3, 1, 1, 1, 1});
    CHECK(loss->forward(batch.feature, labels).item() == Approx((3 * first + second) / 4));
}

TEST_CASE("the focal cross-entropy refuses a negative gamma, and labels that do not fit", "[losses][focal]") {
    const Tensor logits = Tensor::zeros({2, 3});
    CHECK(error_of([&] {
              focal_cross_entropy(logits, label_list({0, 1}), -1);
          }) == "focal_cross_entropy: gamma is -1, expected a number of at least 0");
    CHECK(error_of([&] { focal_cross_entropy(logits, label_list({0}), 2); }) ==
          "focal_cross_entropy: labels are int64[1], expected int64[2]");
    CHECK(error_of([&] { focal_cross_entropy(Tensor::zeros({0, 3}), label_list({}), 2); }) != "(no error was thrown)");
}

TEST_CASE("the focal loss is accurate where the true class is nearly certain", "[losses][focal]") {
    for (const DType dtype : {DType::float32, DType::float64}) {
        const double small = std::exp(-25.0), tolerance = dtype == DType::float32 ? 1e-5 : 1e-9;
        const Row row = row_of({25, 0}, 2, dtype);  // 1 - p is nearly exp(-25), and so is -log p
        CHECK(row.value == Approx(std::pow(small, 3)).epsilon(tolerance));
        CHECK(row.gradient[1] == Approx(3 * std::pow(small, 3)).epsilon(tolerance));
        CHECK(row.gradient[0] == Approx(-3 * std::pow(small, 3)).epsilon(tolerance));
    }
}

}  // namespace radial::test
