// Convolution: gradients over strides, paddings, dilations and groups, values, messages.
#include "../gradcheck.h"

using namespace radial;
using namespace radial::test;

namespace {

struct ConvCase {
    Shape x, w;
    ConvGeometry geometry;
};

const std::vector<ConvCase> cases = {
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

}  // namespace

TEST_CASE("gradients of conv2d agree with differences over every geometry") {
    RandomInputs random(61);
    for (const ConvCase& c : cases) {
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
    for (const ConvCase& c : cases) {
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
