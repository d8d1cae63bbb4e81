// Tests of elementary functions: accuracy near 0 and far out, rounding, remainders, special values, gradients.
#include "../bfloat16_check.h"
#include "../gradcheck.h"

#include <cmath>

namespace radial::test {
namespace {

using Values = std::vector<double>;
using Function = Tensor (*)(const Tensor&);

Values numbers(const Tensor& x) { return x.to_vector<double>(); }

Tensor vector_of(const Values& values) { return Tensor::from(values, {static_cast<std::int64_t>(values.size())}); }

/// Returns "" if op(x) in float32 and float64 is exact(x) up to rounding, or a description of the first x for which it
/// is not.
std::string inexact(Function op, double (*exact)(double), const Values& at) {
    for (const DType dtype : {DType::float32, DType::float64}) {
        for (const double value : at) {
            const Tensor x = Tensor::full({1}, value, dtype);
            const double expected = exact(x.item()), found = op(x).item();
            const double largest = dtype == DType::float32 ? 3.4028234e38 : 1.7976931348623157e308;
            const double tolerance = dtype == DType::float32 ? 1e-6 : 1e-14;
            // In float32, results below the smallest normal number may be 0.
            const double margin = dtype == DType::float32 ? 1.2e-38 : 0;
            if (std::abs(expected) > largest && std::isinf(found) && (found > 0) == (expected > 0)) continue;
            if (std::isnan(expected) && std::isnan(found)) continue;
            if (found == expected || std::abs(found - expected) <= tolerance * std::abs(expected) + margin) continue;
            return fmt::format("{} at {}: {} instead of {}", name_of(dtype), x.item(), found, expected);
        }
    }
    return "";
}

const Values everywhere = {-1e4, -300, -30, -3, -0.6, -0.4, -1e-6, 0, 1e-6, 0.4, 0.6, 3, 30, 300, 1e4};

TensorFunction of(Function op) {
    return [op](const std::vector<Tensor>& in) { return op(in[0]); };
}

}  // namespace

TEST_CASE("elementary functions are exact to six and fourteen digits, near 0 and far out") {
    CHECK(inexact(
              expm1, [](double v) { return std::expm1(v); }, everywhere) == "");
    CHECK(inexact(
              log1p, [](double v) { return std::log1p(v); }, everywhere) == "");
    CHECK(inexact(
              radial::log2, [](double v) { return std::log2(v); }, everywhere) == "");
    CHECK(inexact(
              radial::log10, [](double v) { return std::log10(v); }, everywhere) == "");
    CHECK(inexact(
              rsqrt, [](double v) { return 1 / std::sqrt(v); }, everywhere) == "");
    CHECK(inexact(
              reciprocal, [](double v) { return 1 / v; }, everywhere) == "");
    CHECK(inexact(
              radial::sin, [](double v) { return std::sin(v); }, everywhere) == "");
    CHECK(inexact(
              radial::cos, [](double v) { return std::cos(v); }, everywhere) == "");
    CHECK(inexact(
              radial::tan, [](double v) { return std::tan(v); }, everywhere) == "");
    CHECK(inexact(
              radial::asin, [](double v) { return std::asin(v); }, everywhere) == "");
    CHECK(inexact(
              radial::acos, [](double v) { return std::acos(v); }, everywhere) == "");
    CHECK(inexact(
              radial::atan, [](double v) { return std::atan(v); }, everywhere) == "");
    CHECK(inexact(
              radial::sinh, [](double v) { return std::sinh(v); }, everywhere) == "");
    CHECK(inexact(
              radial::cosh, [](double v) { return std::cosh(v); }, everywhere) == "");
    CHECK(inexact(
              radial::erf, [](double v) { return std::erf(v); }, everywhere) == "");
    CHECK(inexact(
              radial::abs, [](double v) { return std::abs(v); }, everywhere) == "");
}

TEST_CASE("activations neither overflow nor cancel, near 0 and far out") {
    CHECK(inexact(
              softplus, [](double v) { return v > 30 ? v + std::exp(-v) : std::log1p(std::exp(v)); }, everywhere) ==
          "");
    CHECK(inexact(
              log_sigmoid, [](double v) { return v < -30 ? v - std::exp(v) : -std::log1p(std::exp(-v)); },
              everywhere) == "");
    CHECK(inexact(
              mish, [](double v) { return v * std::tanh(std::log1p(std::exp(v))); }, everywhere) == "");
    CHECK(inexact([](const Tensor& x) { return elu(x); }, [](double v) { return v > 0 ? v : std::expm1(v); },
                  everywhere) == "");
    CHECK(inexact(
              softsign, [](double v) { return v / (1 + std::abs(v)); }, everywhere) == "");
    CHECK(inexact(
              hard_swish, [](double v) { return v * std::clamp(v + 3, 0.0, 6.0) / 6; }, everywhere) == "");
}

TEST_CASE("gradients of mish, log_sigmoid and elu are exact near 0 and far out") {
    const auto gradient = [](Function op) {
        return [op](double at) {
            const Tensor x = Tensor::full({1}, at, DType::float32).set_requires_grad();
            op(x).backward();
            return x.grad().item();
        };
    };
    const auto of_mish = gradient(mish), of_log_sigmoid = gradient(log_sigmoid);
    const auto of_elu = gradient([](const Tensor& x) { return elu(x); });
    for (const double v : everywhere) {
        INFO("x = " << v);
        const double sigmoid_of = 1 / (1 + std::exp(-v)), tangent = std::tanh(std::log1p(std::exp(v)));
        CHECK(of_mish(v) == Approx(tangent + v * (1 - tangent * tangent) * sigmoid_of).epsilon(2e-6).margin(1e-7));
        CHECK(of_log_sigmoid(v) == Approx(1 / (1 + std::exp(v))).epsilon(1e-6).margin(1.2e-38));
        CHECK(of_elu(v) == Approx(v > 0 ? 1 : std::exp(v)).epsilon(1e-6).margin(1.2e-38));
    }
}

TEST_CASE("activations at infinity give their limits, and NaN stays NaN") {
    const auto at = [](const std::function<Tensor(const Tensor&)>& f) {
        const Values y = numbers(f(Tensor::from<float>({-INFINITY, INFINITY, NAN}, {3})));
        CHECK(std::isnan(y[2]));
        return std::pair{y[0], y[1]};
    };
    const std::pair from_0{0.0, static_cast<double>(INFINITY)};
    CHECK(at(mish) == from_0);
    CHECK(at(gelu_tanh) == from_0);
    CHECK(at(hard_swish) == from_0);
    CHECK(at(relu6) == std::pair{0.0, 6.0});
    CHECK(at(hard_sigmoid) == std::pair{0.0, 1.0});
    CHECK(at(softsign) == std::pair{-1.0, 1.0});
    CHECK(at(log_sigmoid) == std::pair{-static_cast<double>(INFINITY), 0.0});
    CHECK(at([](const Tensor& x) { return elu(x, 2); }) == std::pair{-2.0, static_cast<double>(INFINITY)});
    CHECK(at([](const Tensor& x) { return soft_shrink(x); }).second == INFINITY);
    CHECK(at([](const Tensor& x) { return hard_shrink(x); }).second == INFINITY);
    CHECK(at([](const Tensor& x) { return leaky_relu(x); }).second == INFINITY);
    CHECK(at([](const Tensor& x) { return hard_tanh(x); }) == std::pair{-1.0, 1.0});
}

TEST_CASE("rounding goes down, up, or to the nearest with halves to even") {
    const Tensor x = vector_of({-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1.2, -1.2, 1e300});
    CHECK(numbers(radial::floor(x)) == Values{-3, -2, -1, 0, 1, 2, 1, -2, 1e300});
    CHECK(numbers(radial::ceil(x)) == Values{-2, -1, 0, 1, 2, 3, 2, -1, 1e300});
    CHECK(numbers(radial::round(x)) == Values{-2, -2, 0, 0, 2, 2, 1, -1, 1e300});
    CHECK(numbers(sign(x)) == Values{-1, -1, -1, 1, 1, 1, 1, -1, 1});
}

TEST_CASE("sign and the roundings keep a NaN and have gradient 0") {
    for (const Function op : {sign, radial::floor, radial::ceil, radial::round}) {
        const Tensor x = vector_of({NAN, 0, 1.5}).set_requires_grad();
        const Tensor y = op(x);
        CHECK(std::isnan(numbers(y)[0]));
        CHECK(numbers(y)[1] == 0);
        backward(y, vector_of({1, INFINITY, 1}));
        CHECK(numbers(x.grad()) == Values{0, 0, 0});
    }
}

TEST_CASE("abs has gradient 0 at 0") {
    const Tensor x = vector_of({-2, 0, 3}).set_requires_grad();
    backward(radial::abs(x), vector_of({1, 1, 1}));
    CHECK(numbers(x.grad()) == Values{-1, 0, 1});
}

TEST_CASE("remainder has the sign of the divisor, and fmod that of the dividend") {
    const Tensor a = vector_of({5, -5, 5, -5, 6}), b = vector_of({3, 3, -3, -3, 3});
    CHECK(numbers(remainder(a, b)) == Values{2, 1, -1, -2, 0});
    CHECK(numbers(radial::fmod(a, b)) == Values{2, -2, 2, -2, 0});
    CHECK(std::isnan(remainder(a, Tensor::full({1}, 0, DType::float64)).to_vector<double>()[0]));
}

TEST_CASE("powers of 0 and with the exponent 0 have finite gradients where PyTorch's are") {
    Tensor a = vector_of({0, 0, -1, 2}), b = vector_of({0, 2, 2, 0});
    a.set_requires_grad();
    b.set_requires_grad();
    const Tensor y = radial::pow(a, b);
    CHECK(numbers(y) == Values{1, 0, 1, 1});
    backward(y, vector_of({1, 1, 1, 1}));
    CHECK(numbers(a.grad()) == Values{0, 0, -2, 0});
    const Values of_exponent = numbers(b.grad());
    CHECK(of_exponent[0] == 0);
    CHECK(of_exponent[1] == 0);
    CHECK(std::isnan(of_exponent[2]));
    CHECK(of_exponent[3] == Approx(std::log(2.0)));
    const Tensor x = vector_of({0, NAN, 3}).set_requires_grad();
    backward(radial::pow(x, 0), vector_of({1, 1, 1}));
    CHECK(numbers(x.grad()) == Values{0, 0, 0});
    CHECK(numbers(radial::pow(x, 2)).back() == 9);
}

TEST_CASE("atan2 knows the quadrant, takes large numbers, and has gradient 0 at the origin") {
    const double pi = std::acos(-1.0);
    CHECK(radial::atan2(vector_of({-1}), vector_of({-1})).item() == Approx(-3 * pi / 4));
    Tensor a = Tensor::from<float>({0, 3e30F}, {2}).set_requires_grad();
    Tensor b = Tensor::from<float>({0, 4e30F}, {2}).set_requires_grad();
    backward(radial::atan2(a, b), Tensor::from<float>({1, 1e30F}, {2}));
    CHECK(numbers(a.grad())[0] == 0);
    CHECK(numbers(b.grad())[0] == 0);
    CHECK(numbers(a.grad())[1] == Approx(0.16));
    CHECK(numbers(b.grad())[1] == Approx(-0.12));
}

TEST_CASE("powers, angles and remainders agree with differences under every broadcast") {
    RandomInputs random(61);
    for (const auto& [a, b] : {std::pair{Shape{3, 5}, Shape{3, 5}},
                               {Shape{3, 5}, Shape{5}},
                               {Shape{3, 1}, Shape{1, 5}},
                               {Shape{}, Shape{2, 3}},
                               {Shape{2, 3, 4, 5}, Shape{1, 3, 1, 1}},
                               {Shape{1, 3, 1, 1}, Shape{2, 3, 4, 5}},
                               {Shape{2, 1, 3, 1, 2}, Shape{1, 4, 1, 2, 2}}}) {
        INFO(a.str() << " and " << b.str());
        const std::vector<Tensor> inputs{random.tensor(a, 0.5, 2), random.tensor(b, 0.5, 2)};
        CHECK(gradient_problem([](const auto& in) { return radial::pow(in[0], in[1]); }, inputs) == "");
        CHECK(gradient_problem([](const auto& in) { return radial::atan2(in[0], in[1]); }, inputs) == "");
        CHECK(gradient_problem([](const auto& in) { return remainder(in[0], in[1]); }, inputs, {.step = 1e-6}) == "");
        CHECK(bfloat16_problem([](const auto& in) { return radial::pow(in[0], in[1]); }, inputs, 0x1p-5) == "");
    }
}

TEST_CASE("further elementary functions and activations in bfloat16 are float32's, rounded") {
    RandomInputs random(62);
    const std::vector<Tensor> inputs{random.tensor({2, 16, 3, 1}, 0.1, 0.9)};
    for (const Function op :
         {expm1,        log1p,        radial::log2, radial::log10, radial::sin,  radial::cos,  radial::tan,
          radial::asin, radial::acos, radial::atan, radial::sinh,  radial::cosh, radial::erf,  radial::abs,
          gelu_tanh,    selu,         mish,         softsign,      log_sigmoid,  hard_sigmoid, hard_swish})
        CHECK(bfloat16_problem(of(op), inputs) == "");
    // The rounded results are saved for backward.
    CHECK(bfloat16_problem(of(rsqrt), inputs, 0x1p-5) == "");
    CHECK(bfloat16_problem(of(reciprocal), inputs, 0x1p-6) == "");
    CHECK(bfloat16_problem([](const auto& in) { return glu(in[0], 1); }, inputs) == "");
}

TEST_CASE("leaky_relu overwrites a temporary unless its slope is negative") {
    const Tensor x = vector_of({-2, 3});
    for (const double slope : {0.5, 0.0, -0.5}) {
        Tensor temporary = x.clone();
        const void* const address = temporary.raw();
        const Tensor y = leaky_relu(std::move(temporary), slope);
        CHECK((y.raw() == address) == (slope >= 0));
        CHECK(numbers(y) == Values{-2 * slope, 3});
        const Tensor leaf = x.clone().set_requires_grad();
        sum(leaky_relu(leaf * 1.0, slope)).backward();
        CHECK(numbers(leaf.grad()) == Values{slope, 1});
    }
}

TEST_CASE("activations have PyTorch's gradients at their kinks") {
    const auto at = [](const std::function<Tensor(const Tensor&)>& f, double value) {
        const Tensor x = Tensor::full({1}, value, DType::float64).set_requires_grad();
        f(x).backward();
        return x.grad().item();
    };
    CHECK(at(relu6, 0) == 0);
    CHECK(at(relu6, 6) == 0);
    CHECK(at(hard_sigmoid, -3) == 0);
    CHECK(at(hard_sigmoid, 3) == 0);
    CHECK(at(hard_swish, -3) == 0);
    CHECK(at(hard_swish, 3) == 1);
    CHECK(at([](const Tensor& x) { return leaky_relu(x, 0.2); }, 0) == 0.2);
    CHECK(at([](const Tensor& x) { return elu(x, 0.7); }, 0) == 0.7);
    CHECK(at([](const Tensor& x) { return soft_shrink(x); }, 0.5) == 0);
    CHECK(at([](const Tensor& x) { return hard_shrink(x); }, -0.5) == 0);
}

TEST_CASE("glu halves a dimension in either layout, and an empty tensor") {
    RandomInputs random(63);
    const Tensor x = random.tensor({2, 4, 3, 2});
    for (const int dim : {0, 1, 3}) {
        INFO("dimension " << dim);
        const std::int64_t half = x.size(dim) / 2;
        const Tensor expected = slice(x, dim, 0, half) * sigmoid(slice(x, dim, half, 2 * half));
        CHECK(relative_difference(glu(x, dim), expected) < 1e-15);
        const Tensor y = glu(x.to(Layout::channels_last), dim);
        CHECK(y.layout() == Layout::channels_last);
        CHECK(relative_difference(y, expected) < 1e-15);
        CHECK(gradient_problem([dim](const auto& in) { return glu(in[0], dim); }, {x}) == "");
    }
    CHECK(glu(Tensor::zeros({0, 4})).shape() == Shape{0, 2});
    CHECK(error_of([&] { glu(x, 2); }) ==
          "glu: input [2, 4, 3, 2] has extent 3 in dimension 2, expected an even number");
    CHECK(error_of([&] { glu(x, 4); }) == "glu: dimension 4 of [2, 4, 3, 2], which has 4");
}

TEST_CASE("activations with impossible numbers say what they expect") {
    const Tensor x = Tensor::zeros({2});
    CHECK(error_of([&] { celu(x, 0); }) == "celu: alpha is 0, expected above 0");
    CHECK(error_of([&] { hard_tanh(x, 2, 1); }) == "hard_tanh: from 2 to 1, expected the lower bound first");
    CHECK(error_of([&] { soft_shrink(x, -1); }) == "soft_shrink: bound is -1, expected at least 0");
    CHECK(error_of([&] { hard_shrink(x, -1); }) == "hard_shrink: bound is -1, expected at least 0");
    CHECK(error_of([&] { mish(Tensor()); }) == "mish: the input is undefined");
}

}  // namespace radial::test
