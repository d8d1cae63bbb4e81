// Tests of comparisons, logic and choices: values, NaN, ties, broadcasting, gradients, messages.
#include "../bfloat16_check.h"
#include "../gradcheck.h"

#include <cmath>

namespace radial::test {
namespace {

std::vector<double> numbers(const Tensor& x) { return x.to_vector<double>(); }

using Values = std::vector<double>;

Tensor vector_of(const std::vector<double>& values) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace

TEST_CASE("comparisons give 1 where they hold and 0 elsewhere") {
    const Tensor a = vector_of({1, 2, 3}), b = vector_of({2, 2, 2});
    CHECK(numbers(equal(a, b)) == Values{0, 1, 0});
    CHECK(numbers(not_equal(a, b)) == Values{1, 0, 1});
    CHECK(numbers(less(a, b)) == Values{1, 0, 0});
    CHECK(numbers(less_equal(a, b)) == Values{1, 1, 0});
    CHECK(numbers(greater(a, b)) == Values{0, 0, 1});
    CHECK(numbers(greater_equal(a, b)) == Values{0, 1, 1});
    CHECK(numbers(greater_equal(a, 2.0)) == Values{0, 1, 1});
    CHECK(equal(a.to(DType::float32), 1.0).dtype() == DType::float32);
}

TEST_CASE("a comparison with NaN holds only for inequality") {
    const Tensor a = vector_of({NAN, 1}), b = vector_of({NAN, NAN});
    CHECK(numbers(equal(a, b)) == Values{0, 0});
    CHECK(numbers(not_equal(a, b)) == Values{1, 1});
    CHECK(numbers(less(a, b)) == Values{0, 0});
    CHECK(numbers(greater_equal(a, b)) == Values{0, 0});
    CHECK(numbers(less_equal(a, NAN)) == Values{0, 0});
}

TEST_CASE("a number is rounded to the dtype of the tensor before it is compared") {
    for (const DType dtype : {DType::float32, DType::float64, DType::bfloat16}) {
        INFO(name_of(dtype));
        CHECK(numbers(equal(Tensor::full({2}, 0.1, DType::float64).to(dtype), 0.1)) == Values{1, 1});
    }
}

TEST_CASE("comparisons have no gradient") {
    Tensor a = vector_of({1, 2});
    a.set_requires_grad();
    CHECK_FALSE(less(a, a).requires_grad());
    CHECK_FALSE(less(a, 1.0).requires_grad());
    CHECK_FALSE(is_nan(a).requires_grad());
}

TEST_CASE("comparisons are shown to those who observe ops") {
    std::vector<std::string> seen;
    const ObserveOps watch([&seen](const OpCall& call) { seen.emplace_back(call.op); });
    const Tensor a = vector_of({1, 2});
    less(a, a);
    equal(a, 1.0);
    is_finite(a);
    CHECK(seen == std::vector<std::string>{"less", "equal", "is_finite"});
}

TEST_CASE("logic takes any number but 0 for true") {
    const Tensor a = vector_of({0, 0, -2, NAN}), b = vector_of({0, 0.5, 3, 0});
    CHECK(numbers(logical_and(a, b)) == Values{0, 0, 1, 0});
    CHECK(numbers(logical_or(a, b)) == Values{0, 1, 1, 1});
    CHECK(numbers(logical_not(a)) == Values{1, 1, 0, 0});
}

TEST_CASE("is_nan and is_finite tell NaN, infinity and numbers apart in every dtype") {
    for (const DType dtype : {DType::float32, DType::float64, DType::bfloat16}) {
        const Tensor x = vector_of({NAN, INFINITY, -INFINITY, 0, 1e30}).to(dtype);
        CHECK(numbers(is_nan(x)) == Values{1, 0, 0, 0, 0});
        CHECK(numbers(is_finite(x)) == Values{0, 0, 0, 1, 1});
    }
}

TEST_CASE("where chooses by condition, and NaN counts as true") {
    const Tensor a = vector_of({1, 2, 3, 4}), b = vector_of({5, 6, 7, 8});
    CHECK(numbers(where(vector_of({0, 1, NAN, -0.0}), a, b)) == Values{5, 2, 3, 8});
}

TEST_CASE("where takes a condition of any floating dtype, and no number but 0 is false") {
    const Tensor a = Tensor::full({2}, 1), b = Tensor::full({2}, 2);
    const Tensor tiny = vector_of({1e-300, 0});
    CHECK(numbers(where(tiny, a, b)) == Values{1, 2});
    CHECK(numbers(where(tiny, a.to(DType::bfloat16), b.to(DType::bfloat16))) == Values{1, 2});
    CHECK(numbers(where(vector_of({1, 0}).to(DType::bfloat16), a, b)) == Values{1, 2});
}

TEST_CASE("a NaN that where does not choose harms neither the result nor a gradient") {
    Tensor a = vector_of({NAN, 2, INFINITY}), b = vector_of({4, NAN, 6});
    a.set_requires_grad();
    b.set_requires_grad();
    const Tensor y = where(vector_of({0, 1, 0}), a, b);
    CHECK(numbers(y) == Values{4, 2, 6});
    backward(y, vector_of({1, 10, 100}));
    CHECK(numbers(a.grad()) == Values{0, 10, 0});
    CHECK(numbers(b.grad()) == Values{1, 0, 100});
}

TEST_CASE("an infinite gradient stays on the side that where chose") {
    Tensor a = vector_of({1, 1}), b = vector_of({2, 2});
    a.set_requires_grad();
    b.set_requires_grad();
    backward(where(vector_of({1, 0}), a, b), vector_of({INFINITY, NAN}));
    CHECK(numbers(a.grad()) == Values{INFINITY, 0});
    CHECK(numbers(b.grad())[0] == 0);
}

TEST_CASE("where, maximum and minimum take every broadcast, layout and dtype") {
    RandomInputs random(41);
    struct Shapes {
        Shape condition, a, b;
    };
    for (const auto& [c, a, b] : {Shapes{{2, 3, 4, 5}, {2, 3, 4, 5}, {2, 3, 4, 5}},
                                  {{4, 5}, {2, 3, 4, 5}, {1}},
                                  {{2, 3, 1, 1}, {2, 3, 4, 5}, {5}},
                                  {{2, 1, 4, 5}, {1, 3, 1, 1}, {1, 3, 4, 5}},
                                  {{3, 1}, {1, 4}, {}},
                                  {{1, 2}, {}, {2, 1, 2, 3, 2}},
                                  {{2, 1, 3, 1, 2}, {1, 4, 1, 2, 2}, {2, 4, 1, 1, 2}},
                                  {{0, 3}, {3}, {1, 3}}}) {
        INFO(c.str() << ", " << a.str() << ", " << b.str());
        const Tensor mask = greater(random.tensor(c), 0.0);
        const std::vector<Tensor> inputs{random.tensor(a), random.tensor(b)};
        const auto choose = [&mask](const std::vector<Tensor>& in) {
            return where(mask.to(in[0].dtype()), in[0], in[1]);
        };
        const Tensor y = choose(inputs);
        if (y.numel() == 0) {
            CHECK(y.shape() == Shape{0, 3});
            continue;
        }
        CHECK(numbers(y) == numbers(mask * inputs[0] + (1.0 - mask) * inputs[1]));
        CHECK(gradient_problem(choose, inputs) == "");
        CHECK(bfloat16_problem(choose, inputs) == "");
        const auto larger = [](const std::vector<Tensor>& in) { return maximum(in[0], in[1]); };
        const auto smaller = [](const std::vector<Tensor>& in) { return minimum(in[0], in[1]); };
        CHECK(gradient_problem(larger, inputs, {.step = 1e-5}) == "");
        CHECK(gradient_problem(smaller, inputs, {.step = 1e-5}) == "");
        CHECK(bfloat16_problem(larger, inputs) == "");
    }
}

TEST_CASE("where keeps channels-last images so") {
    RandomInputs random(42);
    const Tensor x = random.tensor({2, 3, 4, 5}), mask = greater(random.tensor({3, 1, 1}), 0.0);
    const Tensor y = where(mask, x.to(Layout::channels_last), Tensor::full({1}, 7, DType::float64));
    CHECK(y.layout() == Layout::channels_last);
    CHECK(differences(numbers(y), numbers(where(mask, x, Tensor::full({1}, 7, DType::float64)))) == "");
}

TEST_CASE("maximum and minimum share the gradient at a tie and keep a NaN of either side") {
    Tensor a = vector_of({1, 5, 3, NAN, 1}), b = vector_of({2, 4, 3, 1, NAN});
    a.set_requires_grad();
    b.set_requires_grad();
    const Tensor seed = vector_of({2, 2, 2, 2, 2});
    const Values largest = numbers(maximum(a, b)), smallest = numbers(minimum(a, b));
    CHECK(Values(largest.begin(), largest.begin() + 3) == Values{2, 5, 3});
    CHECK(Values(smallest.begin(), smallest.begin() + 3) == Values{1, 4, 3});
    for (const std::size_t i : {3, 4}) CHECK((std::isnan(largest[i]) && std::isnan(smallest[i])));
    backward(maximum(a, b), seed);
    CHECK(numbers(a.grad()) == Values{0, 2, 1, 2, 2});
    CHECK(numbers(b.grad()) == Values{2, 0, 1, 2, 2});
    a.clear_grad();
    backward(minimum(a, b), seed);
    CHECK(numbers(a.grad()) == Values{2, 0, 1, 2, 2});
}

TEST_CASE("comparisons and choices of what does not fit say what it is") {
    const Tensor a = Tensor::zeros({2, 3}), counts = Tensor::zeros({2, 3}, DType::int64);
    CHECK(error_of([&] { less(a, Tensor::zeros({4})); }) == "less: shapes [2, 3] and [4] do not broadcast");
    CHECK(error_of([&] { equal(counts, counts); }) ==
          "equal: the first tensor is int64[2, 3], expected float32 or float64");
    CHECK(error_of([&] { equal(counts, 1.0); }) == "equal: the tensor is int64[2, 3], expected float32 or float64");
    CHECK(error_of([&] { where(counts, a, a); }) == "where: the condition is int64[2, 3], expected float32 or float64");
    CHECK(error_of([&] { where(a, a, a.to(DType::float64)); }) ==
          "where: the second tensor is float64[2, 3], expected float32");
    CHECK(error_of([&] { where(Tensor::zeros({4}), a, a); }) == "where: shapes [4] and [2, 3] do not broadcast");
    CHECK(error_of([&] { maximum(a, Tensor()); }) == "maximum: the second tensor is undefined");
}

}  // namespace radial::test
