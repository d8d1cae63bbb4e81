// Tests of extremes, moments, products, norms and counts: values by hand, ties, zeros, NaN, empty tensors, messages.
#include "radial/core/ops/kernels/reduce_along.h"
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/kernels/team.h"
#include "radial/core/ops.h"

#include <cmath>
#include <limits>

namespace radial::test {
namespace {

using Numbers = std::vector<double>;
using Places = std::vector<std::int64_t>;

constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr double no_bound = std::numeric_limits<double>::infinity();

Tensor table() { return Tensor::from<double>({3, -1, 4, 1, 5, -9}, {2, 3}); }

/// The gradient of sum(f(x)).
Numbers gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
    Tensor leaf = x.clone();
    leaf.set_requires_grad();
    sum(f(leaf)).backward();
    return leaf.grad().to_vector<double>();
}

}  // namespace

TEST_CASE("extremes are taken over any dimensions", "[core][ops]") {
    CHECK(amax(table()).item() == 5);
    CHECK(amin(table(), {0}).to_vector<double>() == Numbers{1, -1, -9});
    CHECK(amax(table(), {-1}, true).shape() == Shape{2, 1});
    CHECK(min(table(), 1).to_vector<double>() == Numbers{-1, -9});
    CHECK(amin(Tensor::full({}, 7)).item() == 7);
}

TEST_CASE("reductions over dimensions that are apart in memory are those of the moved tensor", "[core][ops]") {
    const Tensor x = RandomInputs(41).tensor({2, 3, 4, 5});
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
        const Tensor y = x.to(layout);
        CHECK(relative_difference(amax(y, {0, 2}), amax(amax(x, {2}), {0})) == 0);
        CHECK(relative_difference(amax(y, {1, 3}, true), amax(amax(x, {3}, true), {1}, true)) == 0);
        CHECK(relative_difference(amax(y, {2}), max(x, 2)) == 0);
        CHECK(relative_difference(prod(y, {0, 3}), prod(prod(x, {3}), {0})) < 1e-12);
    }
}

TEST_CASE("the gradient of amax and amin is divided among equal elements", "[core][ops]") {
    const Tensor x = Tensor::from<double>({2, 5, 5, 2}, {1, 4});
    CHECK(gradient([](const Tensor& v) { return amax(v, {1}); }, x) == Numbers{0, 0.5, 0.5, 0});
    CHECK(gradient([](const Tensor& v) { return amin(v, {1}); }, x) == Numbers{0.5, 0, 0, 0.5});
    CHECK(gradient([](const Tensor& v) { return min(v, 1); }, x) == Numbers{1, 0, 0, 0});
}

TEST_CASE("an extreme of a NaN is NaN, and argmax and argmin name the first NaN", "[core][ops]") {
    const Tensor x = Tensor::from<float>({1, NAN, infinite, NAN}, {4});
    CHECK(std::isnan(amax(x).item()));
    CHECK(std::isnan(amin(x).item()));
    CHECK(std::isnan(min(x, 0).item()));
    CHECK(argmax(x, 0).to_vector<std::int64_t>() == Places{1});
    CHECK(argmin(x, 0).to_vector<std::int64_t>() == Places{1});
}

TEST_CASE("argmax and argmin name the first of equal elements along any dimension", "[core][ops]") {
    const Tensor x = Tensor::from<double>({3, 1, 3, 3, 2, 1}, {2, 3});
    CHECK(argmax(x, 1).to_vector<std::int64_t>() == Places{0, 0});
    CHECK(argmin(x, 1).to_vector<std::int64_t>() == Places{1, 2});
    CHECK(argmax(x, 0).to_vector<std::int64_t>() == Places{0, 1, 0});
    CHECK(argmin(x, -2, true).shape() == Shape{1, 3});
    CHECK(argmax(x.view({1, 2, 3, 1}).to(Layout::channels_last), 2).to_vector<std::int64_t>() == Places{0, 0});
}

TEST_CASE("the variance of numbers far from 0 keeps its digits", "[core][ops]") {
    const Tensor x = Tensor::from<float>({4096, 4097, 4098, 4099}, {4});
    CHECK(var(x).item() == Approx(5.0 / 3).epsilon(1e-6));
    CHECK(var(x, {0}, 0).item() == Approx(1.25).epsilon(1e-6));
    CHECK(radial::std(x, {0}, 0).item() == Approx(std::sqrt(1.25)).epsilon(1e-6));
}

TEST_CASE("the variance of a single element is NaN with a correction of 1, and 0 without", "[core][ops]") {
    const Tensor x = Tensor::from<double>({3, 4}, {2, 1});
    CHECK(std::isnan(var(x, {1}).to_vector<double>()[0]));
    CHECK(var(x, {1}, 0).to_vector<double>() == Numbers{0, 0});
    CHECK(std::isnan(var(Tensor::zeros({0})).item()));
}

TEST_CASE("the gradient of a standard deviation of 0 is 0", "[core][ops]") {
    const auto f = [](const Tensor& v) { return radial::std(v); };
    CHECK(gradient(f, Tensor::full({3}, 2)) == Numbers{0, 0, 0});
}

TEST_CASE("the gradient of a product is the product of the other elements", "[core][ops]") {
    const auto f = [](const Tensor& v) { return prod(v); };
    CHECK(gradient(f, Tensor::from<double>({2, 3, 4}, {3})) == Numbers{12, 8, 6});
    CHECK(gradient(f, Tensor::from<double>({2, 0, 4}, {3})) == Numbers{0, 8, 0});
    CHECK(gradient(f, Tensor::from<double>({0, 0, 4}, {3})) == Numbers{0, 0, 0});
    CHECK(prod(Tensor::zeros({0})).item() == 1);
}

TEST_CASE("norms are the sum, the length and the largest magnitude", "[core][ops]") {
    const Tensor x = Tensor::from<double>({3, -4, 0}, {3});
    CHECK(norm(x, 1).item() == 7);
    CHECK(norm(x).item() == 5);
    CHECK(norm(x, no_bound).item() == 4);
    CHECK(norm(Tensor::zeros({0}), no_bound).item() == 0);
}

TEST_CASE("the gradient of every norm of the zero vector is 0", "[core][ops]") {
    for (const double p : {1.0, 2.0, no_bound}) {
        CHECK(gradient([p](const Tensor& v) { return norm(v, p); }, Tensor::zeros({3})) == Numbers{0, 0, 0});
    }
}

TEST_CASE("the gradient of the infinity norm is divided among equal magnitudes", "[core][ops]") {
    const auto f = [](const Tensor& v) { return norm(v, no_bound); };
    CHECK(gradient(f, Tensor::from<double>({-2, 1, 2}, {3})) == Numbers{-0.5, 0, 0.5});
}

TEST_CASE("log_sum_exp over dimensions is that over the moved last dimension", "[core][ops]") {
    const Tensor x = RandomInputs(42).tensor({3, 4});
    CHECK(relative_difference(log_sum_exp(x, {0}), log_sum_exp(transpose(x))) < 1e-12);
    CHECK(log_sum_exp(Tensor::zeros({2, 0}), {1}).to_vector<double>() == Numbers{-no_bound, -no_bound});
    const Tensor nothing = Tensor::full({3}, -no_bound);
    CHECK(log_sum_exp(nothing, {0}).item() == -no_bound);
    CHECK(gradient([](const Tensor& v) { return log_sum_exp(v, {0}); }, nothing) == Numbers{0, 0, 0});
}

TEST_CASE("all, any and count_nonzero tell zeros from other numbers", "[core][ops]") {
    const Tensor x = Tensor::from<float>({0, 0, 1, 0, -2, NAN}, {3, 2});
    CHECK(all(x, {1}).to_vector<double>() == Numbers{0, 0, 1});
    CHECK(any(x, {1}).to_vector<double>() == Numbers{0, 1, 1});
    CHECK(count_nonzero(x, {0}).to_vector<std::int64_t>() == Places{2, 1});
    CHECK(count_nonzero(x).dtype() == DType::int64);
    CHECK(all(x).dtype() == DType::float32);
    CHECK(all(Tensor::zeros({0})).item() == 1);
    CHECK(any(Tensor::zeros({0})).item() == 0);
}

TEST_CASE("extremes, products, moments and norms in bfloat16 are float32's, rounded", "[core][ops]") {
    const Tensor x = RandomInputs(43).distinct({2, 3, 4, 5}, DType::float32);
    for (const auto& dims : std::vector<std::vector<int>>{{}, {1}, {0, 2}, {3}}) {
        const std::vector<std::function<Tensor(const Tensor&)>> calls = {
            [&](const Tensor& v) { return amax(v, dims); },
            [&](const Tensor& v) { return amin(v, dims); },
            [&](const Tensor& v) { return var(v, dims); },
            [&](const Tensor& v) { return radial::std(v, dims); },
            [&](const Tensor& v) { return norm(v, 2, dims); },
            [&](const Tensor& v) { return norm(v, 1, dims); },
            [&](const Tensor& v) { return log_sum_exp(v, dims); },
        };
        for (const auto& call : calls)
            CHECK(bfloat16_problem([&](const auto& in) { return call(in[0]); }, {x}, 0.02) == "");
    }
}

TEST_CASE("reductions without elements or with wrong options say so", "[core][ops]") {
    const Tensor none = Tensor::zeros({2, 0});
    CHECK(error_of([&] { amax(none, {1}); }) == "amax: input [2, 0] has no elements along the dimensions");
    CHECK(amin(none, {0}).shape() == Shape{0});
    CHECK(error_of([&] { argmin(none, 1); }) == "argmin: dimension 1 of [2, 0] is empty");
    CHECK(error_of([] { norm(table(), 3); }) == "norm: p is 3, expected 1, 2 or infinity");
    CHECK(error_of([] { var(table(), {0}, -1); }) == "var: correction is -1, expected at least 0");
    CHECK(error_of([] { prod(table(), {2}); }) == "prod: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([] { all(Tensor::zeros({3}, DType::uint8)); }) ==
          "all: the input is uint8[3], expected float32 or float64");
}

namespace {

/// Checks that a team of several lanes computes the same value and derivatives as a single lane.
template <class R>
void check_lanes(const R& r) {
    const std::vector<double> x = {0.5, -2, 1.5, 3, 0.25, -0.75, 3, 1, 2, -1};
    const auto g = [&](std::int64_t e) { return x[static_cast<std::size_t>(e)]; };
    const auto n = static_cast<std::int64_t>(x.size());
    const kernels::HostTeam<4> lanes;
    const double value = r.value(kernels::SerialTeam{}, n, g);
    CHECK(r.value(lanes, n, g) == Approx(value));
    const auto derivative = r.derivative(kernels::SerialTeam{}, n, g, value);
    const auto by_lanes = r.derivative(lanes, n, g, value);
    for (const double v : x) CHECK(by_lanes(v) == Approx(derivative(v)));
}

}  // namespace

TEST_CASE("reductions by many lanes are those by one", "[core][ops][host]") {
    check_lanes(kernels::Extreme<1>{});
    check_lanes(kernels::Extreme<-1>{});
    check_lanes(kernels::Variance<false>{1});
    check_lanes(kernels::Variance<true>{0});
    check_lanes(kernels::Product{});
    check_lanes(kernels::Norm1{});
    check_lanes(kernels::Norm2{});
    check_lanes(kernels::NormMax{});
    check_lanes(kernels::LogSumExp{});
}

}  // namespace radial::test
