// Tests of arithmetic and elementary functions: gradients, broadcasting of either operand, messages.
#include "../bfloat16_check.h"
#include "../gradcheck.h"

#include <cmath>

namespace radial::test {
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

TEST_CASE("elementwise ops take tensors that begin anywhere in their storage") {
    RandomInputs random(16);
    const Tensor a = random.tensor({17}, -1, 1, DType::float32), b = random.tensor({18}, -1, 1, DType::float32);
    const auto p = numbers(a), q = numbers(b);
    const auto sums = numbers(a.rows(1, 17) + b.rows(2, 18)), doubled = numbers(a.rows(1, 17) * 2.0);
    for (std::size_t i = 0; i < sums.size(); ++i) {
        CHECK(sums[i] == static_cast<float>(p[i + 1] + q[i + 2]));
        CHECK(doubled[i] == 2 * p[i + 1]);
    }
}

TEST_CASE("arithmetic in bfloat16 is float32's, rounded") {
    RandomInputs random(17);
    std::vector<Pair> shapes = broadcast_pairs;
    shapes.push_back({{2, 16, 3, 3}, {2, 16, 3, 3}});
    shapes.push_back({{2, 16, 3, 3}, {2, 16, 1, 1}});
    for (const auto& [a, b] : shapes) {
        INFO(a.str() << " and " << b.str());
        const std::vector<Tensor> inputs{random.tensor(a, 0.5, 2), random.tensor(b, 0.5, 2)};
        // The divisor's gradient is rounded three times, and the sum over broadcast elements adds these errors.
        CHECK(bfloat16_problem([](const auto& in) { return in[0] + in[1]; }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return in[0] - in[1]; }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return in[0] * in[1]; }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return in[0] / in[1]; }, inputs, 0x1p-5) == "");
        CHECK(bfloat16_problem([](const auto& in) { return in[0] * 0.3; }, {inputs[0]}) == "");
        CHECK(bfloat16_problem([](const auto& in) { return in[0] + 0.3; }, {inputs[0]}) == "");
    }
}

TEST_CASE("elementary functions in bfloat16 are float32's, rounded") {
    RandomInputs random(18);
    for (const Shape& shape : {Shape{7}, Shape{2, 16, 3, 1}}) {
        const std::vector<Tensor> inputs{random.tensor(shape, 0.5, 2)};
        CHECK(bfloat16_problem([](const auto& in) { return radial::exp(in[0]); }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return radial::log(in[0]); }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return radial::sqrt(in[0]); }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return square(in[0]); }, inputs) == "");
    }
}

TEST_CASE("gradients in bfloat16 that meet at one tensor add up") {
    Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 8}, {8}).to(DType::bfloat16);
    x.set_requires_grad();
    sum(x * 2.0 + x * 0.5).backward();
    CHECK(numbers(x.grad()) == std::vector<double>(8, 2.5));
}

TEST_CASE("cast rounds to nearest and ties to even") {
    const Tensor x = Tensor::from<float>({1.00390625F, 1.01171875F, -1.00390625F, 3.0F, 1e-40F, INFINITY}, {6});
    CHECK(numbers(cast(x, DType::bfloat16)) ==
          std::vector<double>{1, 1.015625, -1, 3, static_cast<double>(bfloat16(1e-40F)), INFINITY});
    CHECK(cast(x, DType::bfloat16).dtype() == DType::bfloat16);
    CHECK(std::isnan(numbers(cast(Tensor::full({8}, NAN), DType::bfloat16))[5]));
    const double third = 1.0 / 3;
    CHECK(cast(Tensor::full({}, third, DType::float64), DType::float32).item() == static_cast<float>(third));
}

TEST_CASE("cast keeps the layout, and what is so already") {
    RandomInputs random(19);
    const Tensor x = random.tensor({2, 3, 4, 5}).to(Layout::channels_last);
    const Tensor y = cast(x, DType::float32);
    CHECK(y.layout() == Layout::channels_last);
    CHECK(differences(y.to_vector<float>(), x.to_vector<float>()) == "");
    CHECK(cast(x, DType::float64).raw() == x.raw());
}

TEST_CASE("the gradient of cast comes back in the input's type") {
    for (const DType from : {DType::float32, DType::float64, DType::bfloat16}) {
        for (const DType to : {DType::float32, DType::float64, DType::bfloat16}) {
            INFO(name_of(from) << " to " << name_of(to));
            Tensor x = Tensor::from<float>({1, -2, 3}, {3}).to(from);
            x.set_requires_grad();
            sum(square(cast(x, to))).backward();
            CHECK(x.grad().dtype() == from);
            CHECK(numbers(x.grad()) == std::vector<double>{2, -4, 6});
        }
    }
}

TEST_CASE("cast takes floating types only") {
    const Tensor x = Tensor::zeros({2});
    CHECK(error_of([&] { cast(x, DType::int64); }) ==
          "cast: the target is int64, expected float32, float64 or bfloat16");
    CHECK(error_of([&] { cast(x.to(DType::int32), DType::float32); }) ==
          "cast: the input is int32[2], expected float32 or float64");
    CHECK(error_of([] { cast(Tensor(), DType::float32); }) == "cast: the input is undefined");
}

TEST_CASE("clamp gives the nearest number within its bounds, exactly, and a NaN as it is") {
    const Tensor x = Tensor::from<float>({-1e30F, 0.5F, 3, 7.1F, 1e9F, NAN}, {6});
    const auto y = clamp(x, 0.5, 7).to_vector<float>();
    CHECK(std::vector<float>(y.begin(), y.end() - 1) == std::vector<float>{0.5F, 0.5F, 3, 7, 7});
    CHECK(std::isnan(y.back()));
    CHECK(clamp(x.rows(0, 5), 1, INFINITY).to_vector<float>() == std::vector<float>{1, 1, 3, 7.1F, 1e9F});
    CHECK(error_of([&] { clamp(x, 2, 1); }) == "clamp: from 2 to 1, expected the lower bound first");
}

TEST_CASE("the gradient of clamp passes between its bounds and is 0 elsewhere") {
    Tensor x = Tensor::from<float>({-2, -1, 0, 4, 5}, {5});
    x.set_requires_grad();
    backward(clamp(x, -1, 4), Tensor::from<float>({1, 2, 3, 4, 5}, {5}));
    CHECK(x.grad().to_vector<float>() == std::vector<float>{0, 0, 3, 0, 0});
    check_unary(
        "clamp", [](const Tensor& v) { return clamp(v, -20, 20); }, -2, 2);
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

TEST_CASE("numbers stand on either side of an operator") {
    const Tensor x = Tensor::from(std::vector<double>{1, -2, 4}, {3});
    CHECK((1.0 + x).to_vector<double>() == std::vector<double>{2, -1, 5});
    CHECK((1.0 - x).to_vector<double>() == std::vector<double>{0, 3, -3});
    CHECK((x / 2.0).to_vector<double>() == std::vector<double>{0.5, -1, 2});
    CHECK((1.0 / x).to_vector<double>() == std::vector<double>{1, -0.5, 0.25});
}

TEST_CASE("a tensor divided by a number is rounded once, as a division") {
    const float value = 0.1F, divisor = 3.0F;
    CHECK((Tensor::full({2}, value) / divisor).to_vector<float>() == std::vector<float>(2, value / divisor));
}

TEST_CASE("numbers on either side of an operator have gradients") {
    const Tensor x = RandomInputs(5).tensor({3, 4}, 1, 2);
    CHECK(gradient_problem([](const std::vector<Tensor>& in) { return 1.5 - in[0]; }, {x}) == "");
    CHECK(gradient_problem([](const std::vector<Tensor>& in) { return in[0] / 3.0; }, {x}) == "");
    CHECK(gradient_problem([](const std::vector<Tensor>& in) { return 3.0 / in[0]; }, {x}) == "");
}

TEST_CASE("compound assignment gives the handle new elements and is recorded") {
    const Tensor leaf = Tensor::from(std::vector<double>{1, 2}, {2}).set_requires_grad();
    Tensor x = leaf;
    x += Tensor::full({2}, 3, DType::float64);
    x *= 2.0;
    x -= 1.0;
    x /= leaf;
    CHECK(x.to_vector<double>() == std::vector<double>{7, 4.5});  // (2 (a + 3) - 1) / a
    CHECK(leaf.to_vector<double>() == std::vector<double>{1, 2});
    sum(x).backward();
    CHECK(leaf.grad().to_vector<double>() == std::vector<double>{-5, -1.25});  // -5 / a^2
}

TEST_CASE("gradients of normal_cdf and softplus agree with differences") {
    RandomInputs random(205);
    const Tensor x = random.tensor({4, 9}, -6, 6);
    CHECK(gradient_problem([](const auto& in) { return normal_cdf(in[0]); }, {x}) == "");
    CHECK(gradient_problem([](const auto& in) { return softplus(in[0]); }, {x}) == "");
    CHECK(softplus(Tensor::from<float>({1000, -1000}, {2})).to_vector<float>() == std::vector<float>{1000, 0});
}

}  // namespace radial::test
