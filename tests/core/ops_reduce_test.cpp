// Reductions: gradients over every set of dimensions, values, messages.
#include "gradcheck.h"

#include <fmt/ranges.h>

using namespace radial;
using namespace radial::test;

namespace {

std::string str(const std::vector<int>& dims) { return fmt::format("[{}]", fmt::join(dims, ", ")); }

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
    CHECK(error_of([] { sum(Tensor::zeros({3}, DType::uint8)); }) ==
          "sum: the input is uint8[3], expected float32 or float64");
}
