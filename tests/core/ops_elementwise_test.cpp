// Arithmetic and elementary functions: gradients, broadcasting in both directions, messages.
#include "gradcheck.h"

using namespace radial;
using namespace radial::test;

namespace {

using Binary = Tensor (*)(const Tensor&, const Tensor&);
using Unary = Tensor (*)(const Tensor&);

struct Pair {
    Shape a, b;
};

const std::vector<Pair> broadcast_pairs = {
    {{3, 5}, {3, 5}},
    {{1}, {1}},
    {{3, 5}, {5}},
    {{5}, {3, 5}},
    {{3, 1}, {1, 5}},
    {{1, 7}, {4, 1}},
    {{}, {2, 3}},
    {{2, 3}, {1}},
    {{2, 3, 4, 5}, {2, 3, 4, 5}},
    {{2, 3, 4, 5}, {1, 3, 1, 1}},
    {{1, 3, 1, 1}, {2, 3, 4, 5}},
    {{2, 3, 4, 5}, {2, 3, 1, 1}},
    {{2, 3, 4, 5}, {2, 1, 4, 5}},
    {{3, 3, 4, 5}, {1, 3, 4, 5}},
    {{2, 3, 4, 5}, {5}},
    {{4, 5}, {2, 3, 4, 5}},
    {{1, 16, 3, 3}, {1, 16, 3, 3}},
    {{2, 1, 3, 1, 2}, {1, 4, 1, 2, 2}},
};

void check_binary(const std::string& name, Binary op, double low) {
    RandomInputs random(11);
    for (const auto& [a, b] : broadcast_pairs) {
        INFO(name << " of " << a.str() << " and " << b.str());
        const TensorFunction f = [op](const std::vector<Tensor>& in) { return op(in[0], in[1]); };
        CHECK(gradient_problem(f, {random.tensor(a, low, 2), random.tensor(b, low, 2)}) == "");
    }
}

void check_unary(const std::string& name, Unary op, double low, double high) {
    RandomInputs random(12);
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{7}, Shape{3, 5}, Shape{1, 3, 5, 4}, Shape{2, 5, 3, 3}}) {
        INFO(name << " of " << shape.str());
        const TensorFunction f = [op](const std::vector<Tensor>& in) { return op(in[0]); };
        CHECK(gradient_problem(f, {random.tensor(shape, low, high)}) == "");
    }
}

std::vector<double> numbers(const Tensor& x) { return x.to_vector<double>(); }

}  // namespace

TEST_CASE("gradients of add, sub, mul and div agree with differences under every broadcast") {
    check_binary("add", add, -2);
    check_binary("sub", sub, -2);
    check_binary("mul", mul, -2);
    check_binary("div", div, 0.5);
}

TEST_CASE("gradients of scalar arithmetic agree with differences") {
    RandomInputs random(13);
    const std::vector<Tensor> inputs{random.tensor({2, 3, 3, 5})};
    CHECK(gradient_problem([](const auto& in) { return in[0] + 2.5; }, inputs) == "");
    CHECK(gradient_problem([](const auto& in) { return in[0] - 2.5; }, inputs) == "");
    CHECK(gradient_problem([](const auto& in) { return in[0] * -1.5; }, inputs) == "");
    CHECK(gradient_problem([](const auto& in) { return 0.5 * -in[0]; }, inputs) == "");
}

TEST_CASE("gradients of exp, log, sqrt and square agree with differences") {
    check_unary("exp", radial::exp, -2, 2);
    check_unary("log", radial::log, 0.5, 3);
    check_unary("sqrt", radial::sqrt, 0.5, 3);
    check_unary("square", square, -2, 2);
}

TEST_CASE("one tensor on both sides of an op gets both gradients") {
    RandomInputs random(14);
    const std::vector<Tensor> inputs{random.tensor({3, 5}, 0.5, 2)};
    CHECK(gradient_problem([](const auto& in) { return mul(in[0], in[0]); }, inputs) == "");
    CHECK(gradient_problem([](const auto& in) { return sub(in[0], in[0]) + div(in[0], square(in[0])); }, inputs) == "");
}

TEST_CASE("arithmetic gives the values of its definition") {
    const Tensor a = Tensor::from<double>({1, 2, 3, 4, 5, 6}, {2, 3});
    const Tensor b = Tensor::from<double>({10, 20, 40}, {3});
    CHECK(numbers(a + b) == std::vector<double>{11, 22, 43, 14, 25, 46});
    CHECK(numbers(a - b) == std::vector<double>{-9, -18, -37, -6, -15, -34});
    CHECK(numbers(b - a) == std::vector<double>{9, 18, 37, 6, 15, 34});
    CHECK(numbers(a * b) == std::vector<double>{10, 40, 120, 40, 100, 240});
    CHECK(numbers(b / a) == std::vector<double>{10, 10, 40.0 / 3, 2.5, 4, 40.0 / 6});
    CHECK(numbers(a * 2.0 + 1.0) == std::vector<double>{3, 5, 7, 9, 11, 13});
    CHECK(numbers(-a) == std::vector<double>{-1, -2, -3, -4, -5, -6});
}

TEST_CASE("tensors of different layouts add up by logical position") {
    RandomInputs random(15);
    const Tensor a = random.tensor({2, 3, 4, 5}), b = random.tensor({2, 3, 4, 5});
    const auto expected = numbers(a + b);
    CHECK(numbers(a.to(Layout::channels_last) + b) == expected);
    CHECK(numbers(a + b.to(Layout::channels_last)) == expected);
    CHECK(numbers(a.to(Layout::channels_last) + b.to(Layout::channels_last)) == expected);
}

TEST_CASE("an empty tensor passes through arithmetic") {
    const Tensor none = Tensor::zeros({0, 3});
    CHECK((none + Tensor::zeros({3})).shape() == Shape{0, 3});
    CHECK(radial::exp(none).numel() == 0);
}

TEST_CASE("arithmetic on tensors that do not fit says what they are") {
    const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({4});
    CHECK(error_of([&] { a + b; }) == "add: shapes [2, 3] and [4] do not broadcast");
    CHECK(error_of([&] { a - b; }) == "sub: shapes [2, 3] and [4] do not broadcast");
    CHECK(error_of([&] { b* a; }) == "mul: shapes [4] and [2, 3] do not broadcast");
    CHECK(error_of([&] { b / a; }) == "div: shapes [4] and [2, 3] do not broadcast");
    CHECK(error_of([&] { a + a.to(DType::float64); }) == "add: the second tensor is float64[2, 3], expected float32");
    CHECK(error_of([&] { a* Tensor(); }) == "mul: the second tensor is undefined");
    CHECK(error_of([&] { Tensor() / a; }) == "div: the first tensor is undefined");
    CHECK(error_of([&] { radial::exp(a.to(DType::int64)); }) ==
          "exp: the input is int64[2, 3], expected float32 or float64");
    CHECK(error_of([&] { radial::log(Tensor()); }) == "log: the input is undefined");
    CHECK(error_of([&] { radial::sqrt(a.to(DType::uint8)); }) ==
          "sqrt: the input is uint8[2, 3], expected float32 or float64");
    CHECK(error_of([&] { square(Tensor()); }) == "square: the input is undefined");
    CHECK(error_of([&] { a.to(DType::int32) + 1.0; }) == "add: the tensor is int32[2, 3], expected float32 or float64");
    CHECK(error_of([&] { a.to(DType::int32) * 2.0; }) == "mul: the tensor is int32[2, 3], expected float32 or float64");
}
