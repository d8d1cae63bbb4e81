// Tests of whitening convolutions: the effect of the kernels on patches, and when the kernels are computed.
#include "radial/layers/whitening.h"

#include "../core/random_inputs.h"
#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace radial::test {
namespace {

/// Images whose neighbouring pixels and channels are correlated.
Tensor correlated_images(std::uint64_t seed = 5) {
    RandomInputs random(seed);
    const Tensor noise = random.tensor({20, 3, 9, 8}, -1, 1, DType::float32);
    return noise + 2.0 * mean(noise, {1}, true) + 0.5;
}

/// The mean of y y^T over all images and pixels of y [N, K, H, W], row by row.
std::vector<double> second_moments(const Tensor& y) {
    const std::int64_t channels = y.size(1), pixels = y.size(2) * y.size(3);
    const auto values = y.to(Layout::row_major).to_vector<double>();
    std::vector<double> sums(static_cast<std::size_t>(channels * channels));
    for (std::int64_t n = 0; n < y.size(0); ++n)
        for (std::int64_t a = 0; a < channels; ++a)
            for (std::int64_t b = 0; b < channels; ++b)
                for (std::int64_t p = 0; p < pixels; ++p)
                    sums[static_cast<std::size_t>(a * channels + b)] +=
                        values[static_cast<std::size_t>((n * channels + a) * pixels + p)] *
                        values[static_cast<std::size_t>((n * channels + b) * pixels + p)] /
                        static_cast<double>(y.size(0) * pixels);
    return sums;
}

double largest_difference(const Tensor& a, const Tensor& b) {
    double largest = 0;
    for (const double value : (a - b).to_vector<double>()) largest = std::max(largest, std::abs(value));
    return largest;
}

}  // namespace

TEST_CASE("whitening kernels give outputs of unit second moment that are not correlated", "[layers]") {
    const NoGrad no_grad;
    const Tensor images = correlated_images();
    const Tensor kernels = whitening_kernels(images, {2, 3}, 1e-9);
    CHECK(kernels.shape() == Shape{18, 3, 2, 3});
    const std::vector<double> moments = second_moments(conv2d(images, kernels.to(images.device())));
    for (std::size_t a = 0; a < 18; ++a)
        for (std::size_t b = 0; b < 18; ++b) CHECK(moments[a * 18 + b] == Approx(a == b ? 1 : 0).margin(1e-3));
}

TEST_CASE("whitening kernels follow the largest directions first, and epsilon limits the small ones", "[layers]") {
    const Tensor images = correlated_images();
    const auto length_of = [](const Tensor& kernels, std::int64_t k) {
        double sum = 0;
        for (const double value : kernels.rows(k, k + 1).to_vector<double>()) sum += value * value;
        return std::sqrt(sum);
    };
    const Tensor exact = whitening_kernels(images, 2, 1e-9), limited = whitening_kernels(images, 2, 4.0);
    for (std::int64_t k = 1; k < 12; ++k) CHECK(length_of(exact, k) >= length_of(exact, k - 1) - 1e-5);
    for (std::int64_t k = 0; k < 12; ++k) CHECK(length_of(limited, k) < 0.5);
}

TEST_CASE("the first batch in training sets the kernels and their negatives for good", "[layers]") {
    const NoGrad no_grad;
    const Tensor images = correlated_images(), other = correlated_images(6);
    WhiteningConv2d layer({.in_channels = 3});
    CHECK(layer.out_channels() == 24);
    layer.eval();
    const auto before = layer.forward(images).to_vector<float>();
    layer.train();
    const Tensor whitened = layer.forward(images);
    CHECK(whitened.shape() == Shape{20, 24, 8, 7});
    CHECK(whitened.to_vector<float>() != before);
    const Tensor expected = conv2d(images, whitening_kernels(images, 2, 5e-4).to(images.device()));
    CHECK(largest_difference(slice(whitened, 1, 0, 12), expected) < 1e-5);
    CHECK(largest_difference(slice(whitened, 1, 12, 24), -expected) < 1e-5);
    const auto kept = layer.named_buffers().back().tensor.to_vector<float>();
    layer.forward(other);
    CHECK(layer.named_buffers().back().tensor.to_vector<float>() == kept);
}

TEST_CASE("a whitening convolution that was loaded keeps its kernels", "[layers]") {
    const NoGrad no_grad;
    WhiteningConv2d first({.in_channels = 3}), second({.in_channels = 3});
    first.forward(correlated_images());
    second.load_state(first.state());
    CHECK(second.forward(correlated_images(6)).to_vector<float>() ==
          first.forward(correlated_images(6)).to_vector<float>());
}

TEST_CASE("a whitening convolution trains its bias alone", "[layers]") {
    WhiteningConv2d layer({.in_channels = 3});
    REQUIRE(layer.named_parameters().size() == 1);
    CHECK(layer.named_parameters().front().name == "bias");
    sum(layer.forward(correlated_images())).backward();
    CHECK(layer.parameters().front().grad().to_vector<double>()[0] == Approx(20 * 8 * 7));
}

TEST_CASE("whitening convolutions say what does not fit", "[layers]") {
    CHECK(error_of([] { WhiteningConv2d({.in_channels = 0}); }) ==
          "WhiteningConv2d: in_channels 0 and the kernel 2 x 2 must each be at least 1");
    CHECK(error_of([] { WhiteningConv2d({.epsilon = 0}); }) == "WhiteningConv2d: epsilon is 0, expected above 0");
    CHECK(error_of([] {
              WhiteningConv2d({.in_channels = 1}).forward(Tensor::zeros({2, 3, 4, 4}));
          }) == "WhiteningConv2d: input has 3 channels, expected 1");
    CHECK(error_of([] {
              WhiteningConv2d({}).forward(Tensor::zeros({2, 3, 1, 4}));
          }) == "WhiteningConv2d: input [2, 3, 1, 4] is smaller than the kernel 2 x 2");
    CHECK(error_of([] {
              whitening_kernels(Tensor::zeros({2, 3, 1, 4}), 2, 1e-3);
          }) == "whitening_kernels: images [2, 3, 1, 4] have no patches of 2 x 2");
    const Tensor broken = Tensor::full({1, 1, 2, 2}, std::numeric_limits<double>::quiet_NaN());
    CHECK(error_of([&] { whitening_kernels(broken, 2, 1e-3); }) ==
          "whitening_kernels: the images contain NaN or infinity");
}

}  // namespace radial::test
