// Tests of the initialisers that are computed on the host: distribution, orthogonality, messages.
#include "../../catch.h"
#include "../../expect.h"

#include "radial/core/nn/initialize.h"
#include "radial/core/ops.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace radial;
using radial::test::error_of;

namespace {

double mean_of(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
    const double mean = mean_of(values);
    double total = 0;
    for (const double value : values) total += (value - mean) * (value - mean);
    return total / static_cast<double>(values.size());
}

/// The largest element of |w w^T - length^2 I|, or of |w^T w - length^2 I| for a matrix with fewer columns than rows.
double distance_from_orthogonal(const Tensor& weight, double length) {
    const Tensor flat =
        weight.to(DType::float64).to(Layout::row_major).view({weight.size(0), weight.numel() / weight.size(0)});
    const bool wide = flat.size(0) <= flat.size(1);
    const Tensor product = wide ? matmul(flat, flat, false, true) : matmul(flat, flat, true, false);
    const auto values = product.to_vector<double>();
    const auto size = static_cast<std::size_t>(product.size(0));
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        worst = std::max(worst, std::abs(values[i] - (i / size == i % size ? length * length : 0)));
    return worst;
}

}  // namespace

TEST_CASE("a truncated normal distribution stays within its bounds and has its mean and variance") {
    Generator generator(5);
    const Tensor w = Tensor::empty({200000});
    init::trunc_normal_(w, 0, 1, -2, 2, generator);
    const auto values = w.to_vector<double>();
    CHECK(*std::min_element(values.begin(), values.end()) >= -2);
    CHECK(*std::max_element(values.begin(), values.end()) <= 2);
    CHECK(*std::max_element(values.begin(), values.end()) > 1.99);
    CHECK(std::abs(mean_of(values)) < 0.01);
    CHECK(std::abs(variance_of(values) - 0.7737) < 0.01);  // 1 - 4 phi(2) / (2 Phi(2) - 1)
}

TEST_CASE("a truncated normal distribution may be cut on one side and shifted") {
    Generator generator(6);
    const Tensor w = Tensor::empty({100000}, DType::float64);
    init::trunc_normal_(w, 1, 0.5, 1, 100, generator);
    const auto values = w.to_vector<double>();
    CHECK(*std::min_element(values.begin(), values.end()) >= 1);
    CHECK(std::abs(mean_of(values) - (1 + 0.5 * 0.79788)) < 0.01);  // mean of the half-normal distribution
    CHECK(std::abs(variance_of(values) - 0.25 * 0.36338) < 0.01);
}

TEST_CASE("a wide truncated normal distribution has the quantiles of the normal distribution") {
    Generator generator(7);
    const Tensor w = Tensor::empty({100000}, DType::float64);
    init::trunc_normal_(w, 0, 1, -20, 20, generator);
    auto values = w.to_vector<double>();
    std::sort(values.begin(), values.end());
    for (const auto& [probability, quantile] :
         {std::pair{0.025, -1.959964}, {0.5, 0.0}, {0.841345, 1.0}, {0.975, 1.959964}})
        CHECK(std::abs(values[static_cast<std::size_t>(probability * 1e5)] - quantile) < 0.03);
}

TEST_CASE("truncated normal numbers are the same in every type, up to rounding") {
    Generator first(8), second(8);
    const Tensor narrow = Tensor::empty({3, 5}), wide = Tensor::empty({3, 5}, DType::float64);
    init::trunc_normal_(narrow, 0, 1, -2, 2, first);
    init::trunc_normal_(wide, 0, 1, -2, 2, second);
    CHECK(narrow.to_vector<double>() == wide.to(DType::float32).to_vector<double>());
    CHECK(first.counter() == 15);
}

TEST_CASE("orthogonal matrices have orthogonal rows or columns of the given length") {
    Generator generator(9);
    for (const Shape& shape : {Shape{5, 5}, Shape{3, 17}, Shape{33, 8}, Shape{16, 3, 3, 3}, Shape{64, 4, 2}}) {
        for (const double gain : {1.0, 1.5}) {
            const Tensor w = Tensor::empty(shape);
            init::orthogonal_(w, gain, generator);
            INFO(shape.str() << ", gain " << gain);
            CHECK(distance_from_orthogonal(w, gain) < 1e-5);
        }
    }
}

TEST_CASE("signs of orthogonal matrices are random") {
    Generator generator(10);
    const Tensor w = Tensor::empty({1, 1});
    int positive = 0;
    for (int i = 0; i < 100; ++i) {
        init::orthogonal_(w, 1, generator);
        CHECK(std::abs(w.item()) == 1);
        positive += w.item() > 0 ? 1 : 0;
    }
    CHECK(positive > 25);
    CHECK(positive < 75);
}

TEST_CASE("eye_ writes the identity of a matrix of any shape") {
    const Tensor w = Tensor::full({2, 3}, 7);
    init::eye_(w);
    CHECK(w.to_vector<double>() == std::vector<double>{1, 0, 0, 0, 1, 0});
}

TEST_CASE("gains are those of PyTorch") {
    using init::gain_of;
    using init::Nonlinearity;
    CHECK(gain_of(Nonlinearity::linear) == 1);
    CHECK(gain_of(Nonlinearity::sigmoid) == 1);
    CHECK(gain_of(Nonlinearity::tanh) == 5.0 / 3);
    CHECK(gain_of(Nonlinearity::relu) == std::sqrt(2.0));
    CHECK(gain_of(Nonlinearity::leaky_relu, 0.5) == std::sqrt(1.6));
    CHECK(gain_of(Nonlinearity::selu) == 0.75);
}

TEST_CASE("bias_uniform_ fills plus and minus one over the root of fan_in") {
    Generator generator(11);
    const Tensor bias = Tensor::empty({1000});
    init::bias_uniform_(bias, 16, generator);
    const auto values = bias.to_vector<double>();
    CHECK(*std::min_element(values.begin(), values.end()) >= -0.25);
    CHECK(*std::max_element(values.begin(), values.end()) < 0.25);
    CHECK(std::abs(mean_of(values)) < 0.02);
    CHECK(std::abs(variance_of(values) - 0.25 / 12) < 0.002);
}

TEST_CASE("initialisers on the host draw no numbers while random fills are skipped") {
    const SkipRandomFill skip;
    Generator generator(12);
    const Tensor w = Tensor::full({3, 2}, 7);
    init::orthogonal_(w, 1, generator);
    CHECK(w.to_vector<double>() == std::vector<double>(6, 0));
    w.fill_(7);
    init::trunc_normal_(w, 5, 1, -2, 9, generator);
    CHECK(w.to_vector<double>() == std::vector<double>(6, 0));
    CHECK(generator.counter() == 0);
}

TEST_CASE("initialisers on the host say what does not fit") {
    CHECK(error_of([] { init::orthogonal_(Tensor::zeros({3})); }) ==
          "orthogonal_: float32[3] is not a matrix with elements");
    CHECK(error_of([] {
              init::orthogonal_(Tensor::zeros({3, 0}));
          }) == "orthogonal_: float32[3, 0] is not a matrix with elements");
    CHECK(error_of([] {
              init::orthogonal_(Tensor::zeros({3, 2}, DType::int64));
          }) == "orthogonal_: expected a floating-point tensor, got int64[3, 2]");
    CHECK(error_of([] { init::trunc_normal_(Tensor::zeros({3}), 0, 1, 2, 2); }) ==
          "trunc_normal_: expected low < high, got 2 and 2");
    CHECK(error_of([] { init::trunc_normal_(Tensor::zeros({3}), 0, 0); }) ==
          "trunc_normal_: expected a finite mean and std > 0, got 0 and 0");
    CHECK(error_of([] { init::eye_(Tensor()); }) == "eye_: expected a floating-point tensor, got an undefined one");
    CHECK(error_of([] { init::eye_(Tensor::zeros({2, 2, 2})); }) == "eye_: float32[2, 2, 2] is not a matrix");
    CHECK(error_of([] { init::bias_uniform_(Tensor::zeros({2}), 0); }) ==
          "bias_uniform_: fan_in is 0, expected at least 1");
}
