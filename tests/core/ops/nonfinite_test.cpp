// Tests of NaN and infinity in the input: they propagate according to IEEE 754 on the fast path and in the plain loops,
// and no op hangs.
#include "../../expect.h"
#include "../random_inputs.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/ops/conv.h"
#include "radial/losses/functional.h"

#include <limits>

using namespace radial;
using namespace radial::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// Both floating-point types: float32 uses the fast path, float64 the plain loops.
const std::vector<DType> dtypes = {DType::float32, DType::float64};

Tensor vector_of(const std::vector<double>& values, DType dtype) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(dtype);
}

/// Compares element by element; NaN equals NaN.
bool same(const Tensor& x, const std::vector<double>& expected) {
    const auto values = x.to_vector<double>();
    if (values.size() != expected.size()) return false;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] != expected[i] && !(std::isnan(values[i]) && std::isnan(expected[i]))) return false;
    }
    return true;
}

std::size_t nans(const Tensor& x) {
    const auto values = x.to_vector<double>();
    return static_cast<std::size_t>(
        std::count_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }));
}

/// An image of ones with one NaN, in the first channel of the first pixel.
Tensor image_with_nan(DType dtype) {
    std::vector<double> values(108, 1.0);
    values[0] = nan_value;
    return Tensor::from(values, {1, 3, 6, 6}).to(dtype);
}

}  // namespace

TEST_CASE("arithmetic follows IEEE 754 on infinities and NaN") {
    for (const DType dtype : dtypes) {
        const Tensor a = vector_of({inf, inf, 0, nan_value, 1, -1, 0}, dtype);
        const Tensor b = vector_of({-inf, inf, inf, 1, 0, 0, 0}, dtype);
        CHECK(same(a + b, {nan_value, inf, inf, nan_value, 1, -1, 0}));
        CHECK(same(a - b, {inf, nan_value, -inf, nan_value, 1, -1, 0}));
        CHECK(same(a * b, {-inf, inf, nan_value, nan_value, 0, 0, 0}));
        CHECK(same(a / b, {nan_value, nan_value, 0, nan_value, inf, -inf, nan_value}));
    }
}

TEST_CASE("elementary functions follow IEEE 754 on infinities and NaN") {
    for (const DType dtype : dtypes) {
        const Tensor x = vector_of({-inf, inf, nan_value, 0, -1}, dtype);
        CHECK(same(radial::log(x), {nan_value, inf, nan_value, -inf, nan_value}));
        CHECK(same(radial::sqrt(x), {nan_value, inf, nan_value, 0, nan_value}));
        CHECK(same(square(x), {inf, inf, nan_value, 0, 1}));
        const Tensor three = vector_of({-inf, inf, nan_value}, dtype);
        CHECK(same(radial::exp(three), {0, inf, nan_value}));
        CHECK(same(relu(three), {0, inf, nan_value}));
        CHECK(same(sigmoid(three), {0, 1, nan_value}));
        CHECK(same(radial::tanh(three), {-1, 1, nan_value}));
        CHECK(same(prelu(three.view({1, 3}), vector_of({0.5}, dtype)), {-inf, inf, nan_value}));
        CHECK(std::isnan(silu(three).to_vector<double>()[2]));
        CHECK(std::isnan(gelu(three).to_vector<double>()[2]));
    }
}

TEST_CASE("reductions pass on NaN and infinity") {
    for (const DType dtype : dtypes) {
        const Tensor x = vector_of({1, nan_value, 2, inf, 1, 2, inf, -inf, 0}, dtype).view({3, 3});
        CHECK(same(sum(x, {1}), {nan_value, inf, nan_value}));
        CHECK(same(mean(x, {1}), {nan_value, inf, nan_value}));
        CHECK(same(max(x, 1), {nan_value, inf, inf}));
        CHECK(std::isnan(sum(x).item()));
    }
}

TEST_CASE("matrix products confine NaN to the rows that read it") {
    for (const DType dtype : dtypes) {
        std::vector<double> values(35, 1.0);
        values[8] = nan_value;
        const Tensor x = Tensor::from(values, {5, 7});
        const Tensor ones = Tensor::full({3, 7}, 1, dtype);
        const Tensor y = linear(x.to(dtype), ones, Tensor::full({3}, 1, dtype));
        CHECK(nans(y) == 3);
        CHECK(nans(y.rows(1, 2)) == 3);
        CHECK(nans(matmul(x.to(dtype), ones, false, true)) == 3);
    }
}

TEST_CASE("a product with fresh memory does not read it") {
    // With beta = 0 the old elements must not be read, even if they are NaN.
    for (const DType dtype : dtypes) {
        const Tensor c = Tensor::full({3, 3}, nan_value, dtype);
        const Tensor ones = Tensor::full({3, 3}, 1, dtype);
        backend_for(default_device(), dtype).gemm(false, false, 1, ones, ones, 0, c);
        CHECK(c.to_vector<double>() == std::vector<double>(9, 3));
    }
}

TEST_CASE("conv2d spreads NaN to the windows that read it and no further") {
    for (const DType dtype : dtypes) {
        const Tensor y =
            conv2d(image_with_nan(dtype), Tensor::full({5, 3, 3, 3}, 1, dtype), {}, {.pad_h = 1, .pad_w = 1});
        CHECK(nans(y) == 5 * 4);
        CHECK(nans(slice(slice(y, 2, 0, 2), 3, 0, 2)) == 5 * 4);
    }
}

namespace {

/// A convolution that is fused with the ops after it.
struct Fused {
    Shape image, weight;
    ConvGeometry geometry;
};

/// Direct, pointwise, strided, grouped and depthwise convolutions, and Winograd's algorithm for few channels and for
/// many.
const std::vector<Fused>& fused_convolutions() {
    static const std::vector<Fused> all = {
        {{2, 3, 9, 7}, {5, 3, 3, 3}, {.pad_h = 1, .pad_w = 1}},
        {{2, 3, 20, 20}, {64, 3, 7, 7}, {.stride_h = 2, .stride_w = 2, .pad_h = 3, .pad_w = 3}},
        {{3, 16, 5, 4}, {24, 16, 1, 1}, {}},
        {{1, 8, 11, 9}, {6, 8, 3, 5}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 2}},
        {{2, 8, 6, 6}, {12, 2, 3, 3}, {.pad_h = 1, .pad_w = 1, .groups = 4}},
        {{2, 32, 8, 8}, {32, 1, 3, 3}, {.pad_h = 1, .pad_w = 1, .groups = 32}},
        {{12, 32, 8, 7}, {48, 32, 3, 3}, {.pad_h = 1, .pad_w = 1}},
        {{50, 40, 2, 2}, {32, 40, 3, 3}, {.pad_h = 1, .pad_w = 1}},
        {{14, 20, 9, 7}, {12, 20, 3, 3}, {.pad_h = 1, .pad_w = 1}},
        {{9, 32, 6, 5}, {40, 32, 5, 5}, {.pad_h = 2, .pad_w = 2}}};
    return all;
}

/// A copy of `x` with a NaN in the middle.
Tensor with_nan(const Tensor& x) {
    auto values = x.to_vector<double>();
    values[values.size() / 2] = nan_value;
    return Tensor::from(values, x.shape()).to(x.dtype());
}

/// A convolution whose tensor number `broken` contains a NaN, computed by conv2d_activated() or by separate ops.
Tensor convolve(const Fused& c, std::size_t broken, Activation activation, DType dtype, bool in_one_pass) {
    RandomInputs random(305);
    std::vector<Tensor> parts = {random.tensor(c.image, -1, 1, DType::float32),
                                 random.tensor(c.weight, -1, 1, DType::float32),
                                 random.tensor({c.weight[0]}, -1, 1, DType::float32)};
    parts.push_back(random.tensor(conv2d(parts[0], parts[1], {}, c.geometry).shape(), -1, 1, DType::float32));
    parts.at(broken) = with_nan(parts.at(broken));
    for (Tensor& part : parts) part = part.to(dtype);
    if (in_one_pass) return conv2d_activated(parts[0], parts[1], parts[2], c.geometry, activation, parts[3]);
    const Tensor y = conv2d(parts[0], parts[1], parts[2], c.geometry) + parts[3];
    return activated(y, activation);
}

}  // namespace

TEST_CASE("a convolution with what follows it in one pass keeps the NaN of image, weight, bias and residual") {
    const DType dtype = GENERATE(DType::float32, DType::bfloat16);
    for (const Fused& c : fused_convolutions()) {
        for (const Activation activation :
             {Activation::relu, Activation::silu, Activation::gelu, Activation::relu6, Activation::hard_swish}) {
            for (std::size_t broken = 0; broken < 4; ++broken) {
                INFO(c.image.str() << " * " << c.weight.str() << ", " << name_of(dtype) << ", activation "
                                   << static_cast<int>(activation) << ", NaN in part " << broken);
                const auto exact = convolve(c, broken, activation, DType::float64, false).to_vector<double>();
                const auto found = convolve(c, broken, activation, dtype, true).to_vector<double>();
                REQUIRE(found.size() == exact.size());
                std::size_t wanted = 0, lost = 0;
                for (std::size_t i = 0; i < exact.size(); ++i) {
                    wanted += std::isnan(exact[i]) ? 1 : 0;
                    lost += std::isnan(exact[i]) && !std::isnan(found[i]) ? 1 : 0;
                }
                CHECK(wanted > 0);
                CHECK(lost == 0);
            }
        }
    }
}

TEST_CASE("a NaN in one convolution with a ReLU does not change the next one's result") {
    const NoGrad no_grad;
    RandomInputs random(306);
    const Tensor x = random.tensor({2, 16, 6, 6}, -1, 1, DType::float32);
    const Tensor w = random.tensor({24, 16, 3, 3}, -1, 1, DType::float32);
    const auto result = [&](const Tensor& image) {
        return conv2d_activated(image, w, {}, {.pad_h = 1, .pad_w = 1}, Activation::relu).to_vector<float>();
    };
    const std::vector<float> before = result(x);
    result(with_nan(x));
    CHECK(result(x) == before);
}

TEST_CASE("a convolution of infinities gives NaN and infinity through a fused ReLU as PyTorch's does") {
    const Tensor x = Tensor::full({1, 16, 3, 3}, inf);
    const auto through = [&](double even, double odd) {
        std::vector<double> weights(16);
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i % 2 == 0 ? even : odd;
        const Tensor w = Tensor::from(weights, {1, 16, 1, 1}).to(DType::float32);
        return conv2d_activated(x, concat({w, w, w, w, w, w, w, w}, 0), {}, {}, Activation::relu);
    };
    CHECK(nans(through(1, -1)) == 72);  // infinity - infinity
    CHECK(same(through(1, 1), std::vector<double>(72, inf)));
    CHECK(same(through(-1, -1), std::vector<double>(72, 0)));
}

TEST_CASE("pooling passes on the NaN of its window") {
    for (const DType dtype : dtypes) {
        const Tensor x = image_with_nan(dtype);
        CHECK(nans(avg_pool2d(x)) == 1);
        CHECK(std::isnan(avg_pool2d(x).to_vector<double>()[0]));
        CHECK(nans(global_avg_pool(x)) == 1);
    }
}

TEST_CASE("a maximum is infinite where its window is") {
    for (const DType dtype : dtypes) {
        const Tensor x = vector_of({inf, 1, -inf, 5, 2, 3, -inf, -inf}, dtype).view({1, 1, 2, 4});
        CHECK(same(max_pool2d(x), {inf, 5}));
    }
}

TEST_CASE("a maximum over NaN is NaN, over nothing but -infinity -infinity") {
    for (const DType dtype : dtypes) {
        CHECK(nans(max_pool2d(image_with_nan(dtype))) == 1);
        CHECK(same(max_pool2d(Tensor::full({1, 1, 2, 2}, nan_value, dtype)), {nan_value}));
        CHECK(same(max_pool2d(Tensor::full({1, 1, 2, 2}, -inf, dtype)), {-inf}));
    }
}

TEST_CASE("batch_norm keeps NaN, also with an activation in the same pass, and confines it to its channel") {
    const DType dtype = GENERATE(DType::float64, DType::float32, DType::bfloat16);
    const bool training = GENERATE(true, false);
    const DType wide = dtype == DType::bfloat16 ? DType::float32 : dtype;
    const auto vector = [wide](double value) { return Tensor::full({3}, value, wide); };
    for (const Activation activation : {Activation::none, Activation::relu, Activation::silu}) {
        const Tensor y = batch_norm(image_with_nan(dtype), vector(1), vector(0), vector(0), vector(1),
                                    {.training = training, .activation = activation});
        INFO(name_of(dtype) << ", training " << training << ", activation " << static_cast<int>(activation));
        CHECK(nans(y) == (training ? 36U : 1U));
        CHECK(nans(slice(y, 1, 1, 3)) == 0);
    }
}

TEST_CASE("losses of a NaN are NaN, so that training can tell") {
    for (const DType dtype : dtypes) {
        const Tensor labels = Tensor::from<std::int64_t>({0, 1}, {2});
        const Tensor x = vector_of({1, 2, nan_value, 1}, dtype).view({2, 2});
        const Tensor w = Tensor::full({2, 2}, 0.5, dtype);
        CHECK(std::isnan(cross_entropy(x, labels).item()));
        CHECK(std::isnan(cross_entropy(x, labels, 0.1).item()));
        CHECK(std::isnan(softmax_loss(x, w, {}, labels).item()));
        CHECK(std::isnan(rbf_softmax_loss(x, w, labels, {.scale = 2, .gamma = 1}).item()));
        CHECK(nans(rbf_logits(x, w, 2, 1)) == 2);
        CHECK(nans(log_softmax(x)) == 2);
    }
}

TEST_CASE("shape ops carry NaN along unchanged") {
    for (const DType dtype : dtypes) {
        const Tensor x = vector_of({1, nan_value, inf, 2}, dtype).view({2, 2});
        CHECK(same(transpose(x), {1, inf, nan_value, 2}));
        CHECK(same(concat({x, x}, 0), {1, nan_value, inf, 2, 1, nan_value, inf, 2}));
        CHECK(same(slice(x, 1, 1, 2), {nan_value, 2}));
        CHECK(same(flatten(x), {1, nan_value, inf, 2}));
    }
}
