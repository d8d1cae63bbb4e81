// Tests of reductions, log-softmax and log-sum-exp: gradients for all sets of dimensions, values, messages.
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/ops.h"

#include <fmt/ranges.h>
#include <cmath>
#include <limits>

namespace radial::test {
namespace {

std::string str(const std::vector<int>& dims) { return fmt::format("[{}]", fmt::join(dims, ", ")); }

/// The dimensions whose bits are set in `set`.
std::vector<int> dims_of(unsigned set) {
    std::vector<int> dims;
    for (int d = 0; d < Shape::max_rank; ++d)
        if ((set >> d & 1U) != 0) dims.push_back(d);
    return dims;
}

/// The sums of x over `dims`, computed by adding one element after the other.
std::vector<double> plain_sums(const Tensor& x, const std::vector<int>& dims) {
    const Shape& shape = x.shape();
    std::vector<std::int64_t> kept;
    for (int d = 0; d < shape.rank(); ++d)
        if (std::find(dims.begin(), dims.end(), d) == dims.end()) kept.push_back(d);
    std::int64_t count = 1;
    for (const std::int64_t d : kept) count *= shape[static_cast<int>(d)];
    std::vector<double> sums(static_cast<std::size_t>(count));
    const auto values = x.to_vector<double>();
    const auto strides = shape.strides();
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::int64_t at = 0;
        for (const std::int64_t d : kept) {
            const std::int64_t extent = shape[static_cast<int>(d)];
            at = at * extent + static_cast<std::int64_t>(i) / strides[static_cast<std::size_t>(d)] % extent;
        }
        sums[static_cast<std::size_t>(at)] += values[i];
    }
    return sums;
}

const std::vector<std::pair<std::int64_t, std::int64_t>> sizes = {{1, 1}, {1, 5}, {3, 2}, {5, 7}, {8, 10}, {2, 33}};

}  // namespace

TEST_CASE("gradients of sum and mean agree with differences over any dimensions") {
    RandomInputs random(31);
    const std::vector<std::pair<Shape, std::vector<std::vector<int>>>> cases = {
        {{7}, {{}, {0}, {-1}}},
        {{3, 5}, {{}, {0}, {1}, {-1}, {0, 1}}},
        {{2, 3, 5}, {{0}, {1}, {2}, {0, 2}, {-2}, {1, 2}}},
        {{2, 3, 5, 3}, {{}, {0}, {1}, {2}, {3}, {2, 3}, {0, 2, 3}, {1, 3}, {0, 1, 2, 3}}},
        {{1, 5, 3, 1}, {{0}, {-1}, {0, 2, 3}}},
    };
    for (const auto& [shape, sets] : cases) {
        for (const auto& dims : sets) {
            for (const bool keep : {false, true}) {
                INFO("over " << str(dims) << " of " << shape.str() << (keep ? ", kept" : ""));
                const std::vector<Tensor> inputs{random.tensor(shape)};
                CHECK(gradient_problem([&](const auto& in) { return sum(in[0], dims, keep); }, inputs) == "");
                CHECK(gradient_problem([&](const auto& in) { return mean(in[0], dims, keep); }, inputs) == "");
            }
        }
    }
}

TEST_CASE("gradients of max agree with differences along any dimension") {
    RandomInputs random(32);
    for (const Shape& shape : {Shape{7}, Shape{3, 5}, Shape{1, 5}, Shape{2, 3, 5}, Shape{2, 3, 5, 3}}) {
        for (int dim = -shape.rank(); dim < shape.rank(); ++dim) {
            INFO("along " << dim << " of " << shape.str());
            CHECK(gradient_problem([dim](const auto& in) { return max(in[0], dim); }, {random.distinct(shape)}) == "");
        }
    }
}

TEST_CASE("reductions give the values and shapes of their definitions") {
    const Tensor x = Tensor::from<double>({1, 2, 3, 4, 5, 7}, {2, 3});
    CHECK(sum(x).item() == 22);
    CHECK(sum(x).shape() == Shape{});
    CHECK(sum(x, {0}).to_vector<double>() == std::vector<double>{5, 7, 10});
    CHECK(sum(x, {1}).to_vector<double>() == std::vector<double>{6, 16});
    CHECK(sum(x, {1}, true).shape() == Shape{2, 1});
    CHECK(mean(x, {-1}).to_vector<double>() == std::vector<double>{2, 16.0 / 3});
    CHECK(max(x, 0).to_vector<double>() == std::vector<double>{4, 5, 7});
    CHECK(max(x, 1).shape() == Shape{2});
}

TEST_CASE("sums over every set of dimensions are those of plain loops, in either layout") {
    RandomInputs random(33);
    for (const Shape& shape :
         {Shape{300}, Shape{300, 7}, Shape{7, 300}, Shape{3, 300, 5}, Shape{300, 3, 2}, Shape{40, 9},
          Shape{2, 3, 2, 3, 2, 3}, Shape{5, 3, 20, 7}, Shape{4, 1, 6, 1}, Shape{1, 1, 1}}) {
        const Tensor x = random.tensor(shape, -1, 1, DType::float32);
        for (unsigned set = 1; set < 1U << shape.rank(); ++set) {
            const std::vector<int> dims = dims_of(set);
            INFO("over " << str(dims) << " of " << shape.str());
            const auto expected = plain_sums(x, dims);
            const auto close = [&](const Tensor& sums, double factor) {
                const auto values = sums.to_vector<double>();
                bool all = values.size() == expected.size();
                for (std::size_t i = 0; i < values.size() && all; ++i)
                    all = std::abs(values[i] - factor * expected[i]) < 1e-5;
                return all;
            };
            CHECK(close(sum(x, dims), 1));
            CHECK(
                close(mean(x, dims, true), static_cast<double>(expected.size()) / static_cast<double>(shape.numel())));
            if (shape.rank() == 4) CHECK(close(sum(x.to(Layout::channels_last), dims), 1));
        }
    }
}

TEST_CASE("sums over nothing are 0, over no elements there are none") {
    CHECK(sum(Tensor::zeros({0, 3})).item() == 0);
    CHECK(sum(Tensor::zeros({0, 3}), {0}).to_vector<double>() == std::vector<double>{0, 0, 0});
    CHECK(sum(Tensor::zeros({3, 0}), {1}).to_vector<double>() == std::vector<double>{0, 0, 0});
    CHECK(sum(Tensor::zeros({3, 0}), {0}).numel() == 0);
    CHECK(sum(Tensor::zeros({0, 3, 2}), {1}).shape() == Shape{0, 2});
}

TEST_CASE("reductions in bfloat16 are float32's, rounded") {
    RandomInputs random(34);
    for (const auto& dims : std::vector<std::vector<int>>{{}, {0}, {1}, {2, 3}, {0, 2, 3}, {-1}}) {
        INFO("over " << str(dims));
        const std::vector<Tensor> inputs{random.tensor({2, 3, 5, 7}, -1, 1)};
        CHECK(bfloat16_problem([&](const auto& in) { return sum(in[0], dims); }, inputs) == "");
        CHECK(bfloat16_problem([&](const auto& in) { return mean(in[0], dims, true); }, inputs) == "");
    }
    const Tensor x = random.distinct({4, 16}, DType::float32);
    CHECK(bfloat16_problem([](const auto& in) { return max(in[0], 0); }, {x}) == "");
    CHECK(differences(argmax(x.to(DType::bfloat16)).to_vector<std::int64_t>(), argmax(x).to_vector<std::int64_t>()) ==
          "");
}

TEST_CASE("a NaN is no largest element to argmax, unless it comes first") {
    const Tensor x = Tensor::from<float>({1, NAN, 3, NAN, 5, 6, -INFINITY, NAN, -INFINITY}, {3, 3});
    CHECK(argmax(x).to_vector<std::int64_t>() == std::vector<std::int64_t>{2, 0, 0});
}

TEST_CASE("the gradient of max goes to the first NaN") {
    Tensor x = Tensor::from<float>({2, NAN, 5, NAN}, {1, 4});
    x.set_requires_grad();
    sum(max(x, 1)).backward();
    CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 1, 0, 0});
}

TEST_CASE("the gradient of max goes to the first of equals") {
    Tensor x = Tensor::from<float>({2, 5, 5, 1}, {1, 4});
    x.set_requires_grad();
    sum(max(x, 1)).backward();
    CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 1, 0, 0});
}

TEST_CASE("argmax names the first of the largest elements of each row") {
    const Tensor x = Tensor::from<float>({1, 9, 9, -3, -1, -2, 4, 4, 4}, {3, 3});
    CHECK(argmax(x).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 1, 0});
    CHECK(argmax(x).dtype() == DType::int64);
    CHECK_FALSE(argmax(x).requires_grad());
}

TEST_CASE("label_ranks counts the elements before the label's, equal ones by index") {
    const Tensor x = Tensor::from<float>({1, 9, 9, -3, -1, -2, 4, 4, 4, 0, 5, 2}, {4, 3});
    const auto ranks = [&](const std::vector<std::int64_t>& labels) {
        return label_ranks(x, Tensor::from(labels, {4})).to_vector<std::int64_t>();
    };
    CHECK(ranks({0, 0, 0, 0}) == std::vector<std::int64_t>{2, 2, 0, 2});
    CHECK(ranks({1, 1, 1, 1}) == std::vector<std::int64_t>{0, 0, 1, 0});
    CHECK(ranks({2, 2, 2, 2}) == std::vector<std::int64_t>{1, 1, 2, 1});
    CHECK_FALSE(label_ranks(x, argmax(x)).requires_grad());
    CHECK(label_ranks(x, argmax(x)).to_vector<std::int64_t>() == std::vector<std::int64_t>(4, 0));
    const Tensor half = x.to(DType::bfloat16);
    CHECK(label_ranks(half, argmax(half)).to_vector<std::int64_t>() == std::vector<std::int64_t>(4, 0));
}

TEST_CASE("a NaN at the label ranks behind all elements, and another NaN before none") {
    const Tensor x = Tensor::from<float>({NAN, 1, 2, INFINITY, NAN, -INFINITY}, {2, 3});
    CHECK(label_ranks(x, Tensor::from<std::int64_t>({0, 2}, {2})).to_vector<std::int64_t>() ==
          std::vector<std::int64_t>{3, 1});
    CHECK(label_ranks(x, Tensor::from<std::int64_t>({1, 1}, {2})).to_vector<std::int64_t>() ==
          std::vector<std::int64_t>{1, 3});
}

TEST_CASE("a long float32 sum keeps its digits") {
    CHECK(sum(Tensor::full({1000003}, 0.1)).item() == Approx(100000.3).epsilon(1e-6));
}

TEST_CASE("reductions over what does not exist say so") {
    const Tensor x = Tensor::zeros({2, 3});
    CHECK(error_of([&] { sum(x, {2}); }) == "sum: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([&] { mean(x, {0, -3}); }) == "mean: dimension -3 of [2, 3], which has 2");
    CHECK(error_of([&] { max(x, 2); }) == "max: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([] { max(Tensor::zeros({2, 0}), 1); }) == "max: dimension 1 of [2, 0] is empty");
    CHECK(error_of([] { argmax(Tensor::zeros({3})); }) == "argmax: input is [3], expected [N, C]");
    CHECK(error_of([] { argmax(Tensor::zeros({3, 0})); }) == "argmax: input [3, 0] has no columns");
    CHECK(error_of([] { label_ranks(Tensor::zeros({3}), Tensor::zeros({3}, DType::int64)); }) ==
          "label_ranks: input is [3], expected [N, C]");
    // On a device, labels outside the range are reported later.
    const Tensor on_cpu = Tensor::zeros({2, 3}, DType::float32, Device{});
    CHECK(error_of([&] {
              label_ranks(on_cpu, Tensor::from<std::int64_t>({0, 3}, {2}, Device{}));
          }) == "label_ranks: label 3 of sample 1 is outside [0, 3)");
    CHECK(error_of([] { sum(Tensor::zeros({3}, DType::uint8)); }) ==
          "sum: the input is uint8[3], expected float32 or float64");
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

TEST_CASE("gradients of log_softmax agree with differences") {
    RandomInputs random(91);
    for (const auto& [n, c] : sizes) {
        INFO(n << " rows of " << c);
        CHECK(gradient_problem([](const auto& in) { return log_softmax(in[0]); }, {random.tensor({n, c}, -3, 3)}) ==
              "");
    }
}

}  // namespace radial::test
