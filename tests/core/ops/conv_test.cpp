// Tests of convolution, alone and fused with the ops after it: gradients for all geometries, values, messages.
#include "radial/core/ops/conv.h"
#include "../gradcheck.h"
#include "radial/core/ops.h"

namespace radial::test {
namespace {

struct ConvCase {
    Shape x, w;
    ConvGeometry geometry;
};

const std::vector<ConvCase> geometries = {
    {{1, 1, 3, 3}, {1, 1, 3, 3}, {}},
    {{2, 3, 5, 5}, {5, 3, 3, 3}, {.pad_h = 1, .pad_w = 1}},
    {{1, 5, 7, 5}, {3, 5, 3, 3}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
    {{3, 3, 6, 5}, {4, 3, 1, 1}, {}},
    {{2, 3, 7, 7}, {2, 3, 1, 1}, {.stride_h = 2, .stride_w = 3}},
    {{1, 1, 9, 7}, {16, 1, 5, 5}, {.pad_h = 2, .pad_w = 2}},
    {{1, 3, 6, 9}, {2, 3, 2, 4}, {.stride_h = 1, .stride_w = 2, .pad_h = 0, .pad_w = 3}},
    {{2, 2, 9, 8}, {3, 2, 3, 3}, {.pad_h = 2, .pad_w = 1, .dilation_h = 2, .dilation_w = 2}},
    {{1, 3, 9, 9}, {2, 3, 3, 2}, {.stride_h = 2, .stride_w = 1, .pad_h = 3, .dilation_h = 3, .dilation_w = 1}},
    {{2, 4, 5, 5}, {6, 2, 3, 3}, {.pad_h = 1, .pad_w = 1, .groups = 2}},
    {{1, 5, 5, 5}, {5, 1, 3, 3}, {.pad_h = 1, .pad_w = 1, .groups = 5}},
    {{2, 3, 7, 5}, {6, 1, 3, 3}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1, .groups = 3}},
    {{1, 16, 4, 4}, {20, 16, 3, 3}, {.pad_h = 1, .pad_w = 1}},
    {{1, 20, 3, 3}, {16, 5, 3, 3}, {.pad_h = 1, .pad_w = 1, .groups = 4}},
    {{1, 16, 5, 5}, {16, 1, 5, 5}, {.stride_h = 2, .stride_w = 2, .pad_h = 2, .pad_w = 2, .groups = 16}},
};

std::string describe(const ConvCase& c) {
    const ConvGeometry& g = c.geometry;
    return fmt::format("x {}, w {}, stride {}x{}, pad {}x{}, dilation {}x{}, groups {}", c.x.str(), c.w.str(),
                       g.stride_h, g.stride_w, g.pad_h, g.pad_w, g.dilation_h, g.dilation_w, g.groups);
}

struct Case {
    Shape image, weight;
    ConvGeometry geometry;
};

/// Ordinary, pointwise, strided, grouped and depthwise convolutions, and convolutions that use Winograd's algorithm.
const std::vector<Case>& fused_cases() {
    static const std::vector<Case> all = {
        {{2, 3, 9, 7}, {5, 3, 3, 3}, {.pad_h = 1, .pad_w = 1}},
        {{3, 16, 5, 4}, {24, 16, 1, 1}, {}},
        {{1, 8, 11, 9}, {6, 8, 3, 5}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 2}},
        {{2, 8, 6, 6}, {12, 2, 3, 3}, {.pad_h = 1, .pad_w = 1, .groups = 4}},
        {{2, 20, 8, 8}, {20, 1, 5, 5}, {.stride_h = 2, .stride_w = 2, .pad_h = 2, .pad_w = 2, .groups = 20}},
        {{12, 32, 8, 7}, {48, 32, 3, 3}, {.pad_h = 1, .pad_w = 1}},
        {{50, 40, 2, 2}, {32, 40, 3, 3}, {.pad_h = 1, .pad_w = 1}},
        {{14, 20, 9, 7}, {12, 20, 3, 3}, {.pad_h = 1, .pad_w = 1}},
        {{6, 16, 12, 13}, {28, 16, 3, 3}, {.pad_h = 0, .pad_w = 2}},
        {{9, 32, 6, 5}, {40, 32, 5, 5}, {.pad_h = 2, .pad_w = 2}},
    };
    return all;
}

Tensor one_by_one(const Tensor& x, const Tensor& w, const Tensor& bias, const Case& c, Activation activation,
                  const Tensor& residual) {
    Tensor y = conv2d(x, w, bias, c.geometry);
    if (residual.defined()) y = y + residual;
    return activated(y, activation);
}

/// Computes a convolution in float32, and by the plain loops in float64. Returns the largest relative difference of the
/// result and of the three gradients.
double distance_from_plain_loops(const Case& c, bool with_bias) {
    const auto run = [&](DType dtype) {
        RandomInputs same(303);
        const Tensor x = same.tensor(c.image, -1, 1, DType::float32).to(dtype).set_requires_grad();
        const Tensor w = same.tensor(c.weight, -1, 1, DType::float32).to(dtype).set_requires_grad();
        const Tensor b = same.tensor({c.weight[0]}, -1, 1, DType::float32).to(dtype).set_requires_grad();
        const Tensor y = conv2d(x, w, with_bias ? b : Tensor(), c.geometry);
        backward(y, same.tensor(y.shape(), -1, 1, DType::float32).to(dtype));
        std::vector<Tensor> found{y.detach(), x.grad(), w.grad()};
        if (with_bias) found.push_back(b.grad());
        return found;
    };
    const auto fast = run(DType::float32), exact = run(DType::float64);
    double worst = 0;
    for (std::size_t i = 0; i < fast.size(); ++i) worst = std::max(worst, relative_difference(fast[i], exact[i]));
    return worst;
}

ConvGeometry padded(std::int64_t h, std::int64_t w) { return {.pad_h = h, .pad_w = w}; }

}  // namespace

TEST_CASE("gradients of conv2d agree with differences over every geometry") {
    RandomInputs random(61);
    for (const ConvCase& c : geometries) {
        INFO(describe(c));
        const ConvGeometry geometry = c.geometry;
        const Tensor x = random.tensor(c.x), w = random.tensor(c.w), b = random.tensor({c.w[0]});
        const GradcheckOptions options{.elements = 24};
        CHECK(gradient_problem([=](const auto& in) { return conv2d(in[0], in[1], in[2], geometry); }, {x, w, b},
                               options) == "");
        CHECK(gradient_problem([=](const auto& in) { return conv2d(in[0], in[1], {}, geometry); }, {x, w}, options) ==
              "");
    }
}

TEST_CASE("gradients of conv2d agree with differences over random geometries") {
    RandomInputs random(62);
    const std::vector<std::int64_t> channels{1, 3, 5, 16, 20};
    for (int k = 0; k < 12; ++k) {
        ConvGeometry g{.stride_h = random.integer(1, 3),
                       .stride_w = random.integer(1, 3),
                       .pad_h = random.integer(0, 2),
                       .pad_w = random.integer(0, 2),
                       .dilation_h = random.integer(1, 2),
                       .dilation_w = random.integer(1, 2)};
        const std::int64_t c = channels[static_cast<std::size_t>(random.integer(0, 4))];
        const std::int64_t r = random.integer(1, 3), s = random.integer(1, 3);
        const bool depthwise = k % 3 == 0;
        if (depthwise) g.groups = c;
        const ConvCase one{{random.integer(1, 2), c, random.integer(5, 8), random.integer(5, 8)},
                           {depthwise ? c : random.integer(1, 5), depthwise ? 1 : c, r, s},
                           g};
        INFO(describe(one));
        const TensorFunction f = [g](const auto& in) { return conv2d(in[0], in[1], in[2], g); };
        CHECK(gradient_problem(f, {random.tensor(one.x), random.tensor(one.w), random.tensor({one.w[0]})},
                               {.elements = 24}) == "");
    }
}

TEST_CASE("conv2d is a cross-correlation: the kernel is not flipped") {
    const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3});
    const Tensor w = Tensor::from<float>({1, 10, 100, 1000}, {1, 1, 2, 2});
    const Tensor bias = Tensor::full({1}, 0.5);
    CHECK(conv2d(x, w, bias).to_vector<double>() == std::vector<double>{5421.5, 6532.5, 8754.5, 9865.5});
    const Tensor padded = conv2d(x, w, {}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1});
    CHECK(padded.to_vector<double>() == std::vector<double>{1000, 3200, 7040, 9865});
}

TEST_CASE("each group of conv2d reads its own channels") {
    const Tensor x = Tensor::from<float>({1, 10, 100, 1000}, {1, 4, 1, 1});
    const Tensor w = Tensor::from<float>({1, 2, 3, 4}, {2, 2, 1, 1});
    CHECK(conv2d(x, w, {}, {.groups = 2}).to_vector<double>() == std::vector<double>{21, 4300});
}

TEST_CASE("a weight changed between two calls is the one the second call uses") {
    const Tensor x = Tensor::full({1, 16, 4, 4}, 1.0), w = Tensor::full({16, 16, 3, 3}, 1.0);
    CHECK(conv2d(x, w).to_vector<double>()[0] == Approx(144));
    w.fill_(2);
    CHECK(conv2d(x, w).to_vector<double>()[0] == Approx(288));
}

TEST_CASE("conv2d in bfloat16 agrees with float32 and gives float32 gradients of its parameters") {
    RandomInputs random(63);
    for (const ConvCase& c : geometries) {
        INFO(describe(c));
        const auto run = [&, x = random.tensor(c.x, -1, 1, DType::float32),
                          w = random.tensor(c.w, -1, 1, DType::float32),
                          b = random.tensor({c.w[0]}, -1, 1, DType::float32)](DType dtype) {
            const Tensor input = x.to(DType::bfloat16).to(dtype).clone().set_requires_grad();
            const Tensor weight = w.clone().set_requires_grad(), bias = b.clone().set_requires_grad();
            const Tensor y = conv2d(input, weight, bias, c.geometry);
            CHECK(y.dtype() == dtype);
            backward(y, RandomInputs(64).tensor(y.shape(), -1, 1, DType::float32).to(dtype));
            return std::vector<Tensor>{y.detach(), input.grad(), weight.grad(), bias.grad()};
        };
        const auto rounded = run(DType::bfloat16), exact = run(DType::float32);
        CHECK(rounded[2].dtype() == DType::float32);
        CHECK(rounded[3].dtype() == DType::float32);
        for (std::size_t i = 0; i < exact.size(); ++i) CHECK(relative_difference(rounded[i], exact[i]) < 2e-2);
    }
}

TEST_CASE("the gradient of a weight has the layout that convolutions want") {
    RandomInputs random(65);
    const Tensor x = random.tensor({2, 5, 6, 6}, -1, 1, DType::float32),
                 w = random.tensor({7, 5, 3, 3}, -1, 1, DType::float32);
    const Layout wanted = backend_for(x.device(), DType::float32).weight_layout();
    const Tensor weight = w.to(wanted).clone().set_requires_grad();
    sum(square(conv2d(x, weight))).backward();
    CHECK(weight.grad().layout() == wanted);
    CHECK(differences(weight.to_vector<float>(), w.to_vector<float>()) == "");
}

TEST_CASE("conv2d on what does not fit says what it is") {
    const Tensor x = Tensor::zeros({1, 3, 4, 4}), w = Tensor::zeros({6, 3, 3, 3});
    CHECK(error_of([&] {
              conv2d(x, Tensor::zeros({6, 16, 3, 3}));
          }) == "conv2d: input has 3 channels, weight expects 16");
    CHECK(error_of([&] { conv2d(x, w, {}, {.groups = 3}); }) == "conv2d: input has 3 channels, weight expects 9");
    CHECK(error_of([&] { conv2d(x, w, {}, {.groups = 4}); }) ==
          "conv2d: groups is 4, expected a divisor of the 6 output channels");
    CHECK(error_of([&] { conv2d(x, w, Tensor::zeros({3})); }) == "conv2d: bias is [3], expected [6]");
    CHECK(error_of([&] {
              conv2d(Tensor::zeros({3, 4, 4}), w);
          }) == "conv2d: input is [3, 4, 4], expected [N, C, H, W]");
    CHECK(error_of([&] {
              conv2d(x, Tensor::zeros({6, 27}));
          }) == "conv2d: weight is [6, 27], expected [K, C/groups, R, S]");
    CHECK(error_of([&] { conv2d(x, w, {}, {.stride_h = 0}); }) == "conv2d: stride is (0, 1), expected at least 1");
    CHECK(error_of([&] { conv2d(x, w, {}, {.dilation_w = 0}); }) == "conv2d: dilation is (1, 0), expected at least 1");
    CHECK(error_of([&] { conv2d(x, w, {}, {.pad_h = -1}); }) == "conv2d: padding is (-1, 0), expected at least 0");
    CHECK(error_of([&] {
              conv2d(x, Tensor::zeros({6, 3, 7, 3}), {}, {.pad_h = 1});
          }) == "conv2d: kernel 7 x 3 does not fit input [1, 3, 4, 4] with padding (1, 0)");
    CHECK(error_of([&] {
              conv2d(Tensor::zeros({1, 0, 4, 4}), Tensor::zeros({6, 0, 3, 3}));
          }) == "conv2d: input [1, 0, 4, 4] or weight [6, 0, 3, 3] is empty");
    CHECK(error_of([&] { conv2d(x, w.to(DType::float64)); }) ==
          "conv2d: weight is float64[6, 3, 3, 3], expected float32");
    CHECK(error_of([&] { conv2d(x.to(DType::bfloat16), w.to(DType::float64)); }) ==
          "conv2d: weight is float64[6, 3, 3, 3], expected bfloat16");
}

TEST_CASE("a convolution with what follows it in one pass gives what the ops give one by one") {
    RandomInputs random(301);
    for (const Case& c : fused_cases()) {
        for (const Activation activation : {Activation::none, Activation::relu, Activation::silu, Activation::gelu,
                                            Activation::relu6, Activation::hard_swish}) {
            for (const bool with_residual : {false, true}) {
                for (const DType dtype : {DType::float32, DType::float64}) {
                    INFO(c.image.str() << " * " << c.weight.str() << ", activation " << static_cast<int>(activation)
                                       << (with_residual ? ", residual" : "") << ", " << name_of(dtype));
                    const Tensor x = random.tensor(c.image, -1, 1, dtype), w = random.tensor(c.weight, -1, 1, dtype);
                    const Tensor bias = random.tensor({c.weight[0]}, -1, 1, dtype);
                    const Tensor plain = conv2d(x, w, bias, c.geometry);
                    const Tensor residual = with_residual ? random.tensor(plain.shape(), -1, 1, dtype) : Tensor();
                    const Tensor expected = one_by_one(x, w, bias, c, activation, residual);
                    const Tensor got = conv2d_activated(x, w, bias, c.geometry, activation, residual);
                    CHECK(relative_difference(got, expected) < (dtype == DType::float64 ? 1e-14 : 1e-5));
                }
            }
        }
    }
}

TEST_CASE("a convolution by 3x3 agrees with the plain loops, forward and backward, at odd sizes") {
    const std::vector<Case> all = {
        {{13, 32, 8, 8}, {64, 32, 3, 3}, padded(1, 1)},    {{5, 48, 15, 11}, {64, 48, 3, 3}, padded(1, 1)},
        {{7, 64, 7, 14}, {64, 64, 3, 3}, padded(1, 1)},    {{50, 32, 4, 4}, {64, 32, 3, 3}, padded(1, 1)},
        {{1, 32, 4, 4}, {64, 32, 3, 3}, padded(1, 1)},     {{300, 40, 2, 2}, {64, 40, 3, 3}, padded(1, 1)},
        {{12, 32, 10, 9}, {64, 32, 3, 3}, padded(0, 0)},   {{20, 40, 5, 7}, {48, 40, 3, 3}, padded(2, 0)},
        {{9, 56, 6, 12}, {64, 56, 3, 3}, padded(0, 2)},    {{60, 32, 3, 3}, {32, 32, 3, 3}, padded(2, 2)},
        {{3, 128, 33, 30}, {64, 128, 3, 3}, padded(1, 1)}, {{31, 12, 17, 18}, {44, 12, 3, 3}, padded(1, 1)},
        {{5, 20, 31, 29}, {16, 20, 3, 3}, padded(1, 1)},   {{70, 24, 2, 2}, {28, 24, 3, 3}, padded(1, 1)},
        {{40, 16, 16, 16}, {16, 16, 3, 3}, padded(2, 2)}};
    for (const Case& c : all) {
        INFO(c.image.str() << ", padding " << c.geometry.pad_h << " and " << c.geometry.pad_w);
        CHECK(distance_from_plain_loops(c, true) < 1e-5);
    }
}

TEST_CASE("a convolution of many channels by 5x5 agrees with the plain loops, forward and backward, at odd sizes") {
    const std::vector<Case> all = {{{5, 32, 14, 14}, {64, 32, 5, 5}, padded(2, 2)},
                                   {{7, 48, 7, 9}, {32, 48, 5, 5}, padded(2, 2)},
                                   {{12, 32, 8, 9}, {64, 32, 5, 5}, padded(0, 4)},
                                   {{20, 40, 6, 5}, {64, 40, 5, 5}, padded(3, 1)}};
    for (const Case& c : all) {
        INFO(c.image.str() << ", padding " << c.geometry.pad_h << " and " << c.geometry.pad_w);
        CHECK(distance_from_plain_loops(c, true) < 1e-5);
    }
}

TEST_CASE("a 3x3 convolution to 12 channels agrees with the plain loops, forward and backward, at odd sizes") {
    const std::vector<Case> all = {
        {{2, 48, 32, 32}, {12, 48, 3, 3}, padded(1, 1)}, {{3, 28, 7, 13}, {12, 28, 3, 3}, padded(1, 1)},
        {{1, 4, 1, 1}, {12, 4, 3, 3}, padded(1, 1)},     {{17, 16, 5, 6}, {12, 16, 3, 3}, padded(0, 2)},
        {{2, 76, 9, 70}, {12, 76, 3, 3}, padded(2, 0)},  {{4, 52, 3, 2}, {12, 52, 3, 3}, padded(3, 3)}};
    for (const Case& c : all) {
        for (const bool with_bias : {false, true}) {
            INFO(c.image.str() << ", padding " << c.geometry.pad_h << " and " << c.geometry.pad_w);
            CHECK(distance_from_plain_loops(c, with_bias) < 4e-6);
        }
    }
}

TEST_CASE("gradients of 3x3, 5x5 and depthwise convolutions do not depend on the number of threads", "[host]") {
    const int threads = num_threads();
    const ConvGeometry depthwise{.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1, .groups = 32};
    for (const Case& c :
         {Case{{33, 16, 12, 11}, {12, 16, 3, 3}, padded(1, 1)}, Case{{9, 64, 12, 11}, {72, 64, 3, 3}, padded(1, 1)},
          Case{{6, 32, 14, 13}, {48, 32, 5, 5}, padded(2, 2)}, Case{{70, 20, 2, 2}, {28, 20, 3, 3}, padded(1, 1)},
          Case{{7, 32, 14, 13}, {32, 1, 3, 3}, depthwise}}) {
        std::vector<std::vector<float>> found;
        for (const int count : {1, 2, 3}) {
            set_num_threads(count);
            RandomInputs same(304);
            const Tensor x = same.tensor(c.image, -1, 1, DType::float32).set_requires_grad();
            const Tensor w = same.tensor(c.weight, -1, 1, DType::float32).set_requires_grad();
            const Tensor y = conv2d(x, w, {}, c.geometry);
            backward(y, same.tensor(y.shape(), -1, 1, DType::float32));
            found.push_back(x.grad().to_vector<float>());
            const std::vector<float> more = w.grad().to_vector<float>();
            found.back().insert(found.back().end(), more.begin(), more.end());
        }
        set_num_threads(threads);
        INFO(c.image.str());
        CHECK(differences(found[0], found[1]) == "");
        CHECK(differences(found[0], found[2]) == "");
    }
}

TEST_CASE("a grouped convolution adds its residual whatever its number of channels", "[host]") {
    RandomInputs random(305);
    for (const std::int64_t channels : {3, 6, 8, 16, 21, 33}) {
        for (const std::int64_t per_group : {std::int64_t{1}, channels % 3 == 0 ? 3 : channels / 2}) {
            for (const std::int64_t stride : {1, 2}) {
                for (const Activation activation : {Activation::none, Activation::relu, Activation::silu,
                                                    Activation::gelu, Activation::relu6, Activation::hard_swish}) {
                    const Case c{{2, channels, 7, 9},
                                 {channels, per_group, 3, 3},
                                 {.stride_h = stride,
                                  .stride_w = stride,
                                  .pad_h = 1,
                                  .pad_w = 1,
                                  .groups = channels / per_group}};
                    INFO(c.image.str() << " * " << c.weight.str() << ", stride " << stride << ", activation "
                                       << static_cast<int>(activation));
                    const Tensor x = random.tensor(c.image, -1, 1, DType::float32),
                                 w = random.tensor(c.weight, -1, 1, DType::float32),
                                 bias = random.tensor({channels}, -1, 1, DType::float32);
                    const Tensor residual =
                        random.tensor(conv2d(x, w, bias, c.geometry).shape(), -1, 1, DType::float32);
                    const Tensor expected =
                        one_by_one(x.to(DType::float64), w.to(DType::float64), bias.to(DType::float64), c, activation,
                                   residual.to(DType::float64));
                    const Tensor got = conv2d_activated(x, w, bias, c.geometry, activation, residual);
                    CHECK(relative_difference(got, expected) < 1e-6);
                }
            }
        }
    }
}

TEST_CASE("a fused convolution refuses a residual of another shape, and to be differentiated") {
    const Tensor x = Tensor::zeros({1, 2, 4, 4}), w = Tensor::zeros({3, 2, 3, 3});
    CHECK(error_of([&] {
              conv2d_activated(x, w, {}, {}, Activation::relu, Tensor::zeros({1, 3, 4, 4}));
          }) == "conv2d_activated: residual is [1, 3, 4, 4], the result [1, 3, 2, 2]");
    const Tensor trained = Tensor::zeros({3, 2, 3, 3}).set_requires_grad();
    CHECK(error_of([&] { conv2d_activated(x, trained, {}, {}, Activation::relu); }) ==
          "conv2d_activated: an input wants a gradient; it is for evaluation under NoGrad");
    const NoGrad guard;
    CHECK(conv2d_activated(x, trained, {}, {}, Activation::relu).shape() == Shape{1, 3, 2, 2});
}

}  // namespace radial::test
