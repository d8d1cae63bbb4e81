// Ops between samples and classes: sums by class, placing, the logarithm of sums of exponentials.
#include "../gradcheck.h"
#include "radial/core/ops.h"

#include <cmath>
#include <limits>

namespace radial::test {

TEST_CASE("class_sums adds up each class's rows, and leaves 0 for a class without any", "[core][ops]") {
    const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2});
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{2, 0, 2}, {3});
    CHECK(class_sums(x, labels, 4).to_vector<float>() == std::vector<float>{3, 4, 0, 0, 6, 8, 0, 0});
}

TEST_CASE("place is pick backwards", "[core][ops]") {
    const Tensor values = Tensor::from(std::vector<float>{5, 7}, {2});
    const Tensor index = Tensor::from(std::vector<std::int64_t>{1, 0}, {2});
    const Tensor placed = place(values, index, 3);
    CHECK(placed.to_vector<float>() == std::vector<float>{0, 5, 0, 7, 0, 0});
    CHECK(differences(pick(placed, index).to_vector<float>(), values.to_vector<float>()) == "");
}

TEST_CASE("log_sum_exp neither overflows nor loses what is far below", "[core][ops]") {
    const Tensor x = Tensor::from(std::vector<float>{1000, 1000, -1000, -1000.5F}, {2, 2});
    const auto y = log_sum_exp(x).to_vector<double>();
    CHECK(y[0] == Approx(1000 + std::log(2.0)));
    CHECK(y[1] == Approx(-1000 + std::log1p(std::exp(-0.5))));
}

TEST_CASE("log_sum_exp of nothing but -inf is -inf, and no gradient flows to it", "[core][ops]") {
    constexpr float none = -std::numeric_limits<float>::infinity();
    Tensor x = Tensor::from(std::vector<float>{none, none, none, 3}, {2, 2});
    x.set_requires_grad();
    const Tensor y = log_sum_exp(x);
    CHECK(y.to_vector<float>() == std::vector<float>{none, 3});
    backward(y, Tensor::full({2}, 1));
    CHECK(x.grad().to_vector<float>() == std::vector<float>{0, 0, 0, 1});
}

TEST_CASE("log_sum_exp hands on infinity and NaN", "[core][ops]") {
    const float infinity = std::numeric_limits<float>::infinity();
    const auto y = log_sum_exp(Tensor::from(std::vector<float>{infinity, 1, NAN, 1}, {2, 2})).to_vector<float>();
    CHECK(y[0] == infinity);
    CHECK(std::isnan(y[1]));
}

TEST_CASE("ops between samples and classes have the gradients of their differences", "[core][ops][gradcheck]") {
    RandomInputs random(31);
    for (const std::int64_t rows : {1, 7, 33}) {
        const Tensor labels = random.labels(rows, 5);
        CHECK(gradient_problem([&](const auto& in) { return class_sums(in[0], labels, 5); },
                               {random.tensor({rows, 3})}) == "");
        CHECK(gradient_problem([&](const auto& in) { return place(in[0], labels, 5); }, {random.tensor({rows})}) == "");
        CHECK(gradient_problem([](const auto& in) { return log_sum_exp(in[0]); },
                               {random.tensor({rows, 3, 7}, -3, 3)}) == "");
    }
}

TEST_CASE("ops between samples and classes refuse what does not fit", "[core][ops]") {
    const Tensor x = Tensor::zeros({3, 2}), labels = Tensor::from(std::vector<std::int64_t>{0, 1}, {2});
    CHECK(error_of([&] { class_sums(x, labels, 2); }) == "class_sums: labels are int64[2], expected int64[3]");
    CHECK(error_of([&] { class_sums(x.rows(0, 2), labels, 0); }) == "class_sums: 0 classes, expected at least 1");
    CHECK(error_after([&] { class_sums(x.rows(0, 2), labels, 1); }) ==
          bad_index("class_sums: label 1 of sample 1 is outside [0, 1)", 1, 1, 1));
    CHECK(error_of([&] { place(x, labels, 2); }) == "place: values is [3, 2], expected [N]");
    CHECK(error_of([&] { place(Tensor::zeros({2}), labels, 0); }) == "place: 0 columns, expected at least 1");
    CHECK(error_of([] {
              log_sum_exp(Tensor::zeros({2, 0}));
          }) == "log_sum_exp: input is [2, 0], expected [..., K] with K above 0");
}

}  // namespace radial::test
