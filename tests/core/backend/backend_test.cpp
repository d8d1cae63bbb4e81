// Compares the CPU's fast path with the plain loops in float32: each primitive, forward and backward, at odd sizes and
// in both layouts.
#include "radial/core/backend/backend.h"

#include "../../expect.h"
#include "../random_inputs.h"
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/ops.h"

#include <functional>

using namespace radial;
using namespace radial::test;

namespace {

const std::vector<Layout> layouts = {Layout::row_major, Layout::channels_last};

using TensorFunction = std::function<Tensor(const std::vector<Tensor>&)>;

/// The result of f and its gradients for float32 inputs. If the first input has rank 4, it gets the layout `layout`.
std::vector<Tensor> results(const TensorFunction& f, const std::vector<Tensor>& inputs, Layout layout) {
    std::vector<Tensor> leaves;
    for (const Tensor& input : inputs) {
        const bool image = leaves.empty() && input.rank() == 4;
        leaves.push_back(input.to(image ? layout : Layout::row_major).clone().set_requires_grad());
    }
    const Tensor y = f(leaves);
    RandomInputs random(5);
    backward(y, random.tensor(y.shape(), -1, 1, DType::float32));
    std::vector<Tensor> all{y.detach()};
    for (const Tensor& leaf : leaves) all.push_back(leaf.grad());
    return all;
}

/// Compares f and its gradients on the fast path with the plain loops, in both layouts of the first input.
void check_against_reference(const TensorFunction& f, const std::vector<Tensor>& inputs, double tolerance = 1e-5) {
    const std::vector<Tensor> expected = [&] {
        const UseReferenceBackend guard;
        return results(f, inputs, Layout::row_major);
    }();
    for (const Layout layout : layouts) {
        const std::vector<Tensor> actual = results(f, inputs, layout);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            INFO(name_of(layout) << (i == 0 ? " result" : " gradient of input ") << i);
            CHECK(relative_difference(actual[i], expected[i]) < tolerance);
        }
    }
}

Tensor image(RandomInputs& random, const Shape& shape) { return random.tensor(shape, -1, 1, DType::float32); }

struct ConvCase {
    Shape x, w;
    ConvGeometry geometry;
};

std::string describe(const ConvCase& c) {
    const ConvGeometry& g = c.geometry;
    return fmt::format("x {}, w {}, stride {}x{}, pad {}x{}, dilation {}x{}, groups {}", c.x.str(), c.w.str(),
                       g.stride_h, g.stride_w, g.pad_h, g.pad_w, g.dilation_h, g.dilation_w, g.groups);
}

void check_conv(RandomInputs& random, const ConvCase& c) {
    INFO(describe(c));
    const ConvGeometry g = c.geometry;
    const Tensor x = image(random, c.x), w = image(random, c.w), b = image(random, {c.w[0]});
    check_against_reference([g](const auto& in) { return conv2d(in[0], in[1], in[2], g); }, {x, w, b});
    check_against_reference([g](const auto& in) { return conv2d(in[0], in[1], {}, g); }, {x, w});
}

std::string str(const Shape& x, const PoolGeometry& g) {
    return fmt::format("x {}, window {}x{}, stride {}x{}, pad {}x{}", x.str(), g.window_h, g.window_w, g.stride_h,
                       g.stride_w, g.pad_h, g.pad_w);
}

}  // namespace

TEST_CASE("gemm agrees with the plain loops for every transposition, alpha and beta") {
    RandomInputs random(101);
    Backend& fast = backend_for(default_device(), DType::float32);
    for (int k = 0; k < 24; ++k) {
        const std::int64_t m = random.integer(1, 70), n = random.integer(1, 70), inner = random.integer(1, 150);
        const bool ta = k % 2 == 1, tb = k / 2 % 2 == 1;
        const double alpha = k % 3 == 0 ? 1 : random.uniform(-2, 2);
        const double beta = k % 4 == 0 ? 0 : k % 4 == 1 ? 1 : random.uniform(-2, 2);
        INFO(m << " x " << inner << " x " << n << ", alpha " << alpha << ", beta " << beta << (ta ? ", a^T" : "")
               << (tb ? ", b^T" : ""));
        const Tensor a = image(random, ta ? Shape{inner, m} : Shape{m, inner});
        const Tensor b = image(random, tb ? Shape{n, inner} : Shape{inner, n});
        const Tensor c = image(random, {m, n}), expected = c.clone();
        fast.gemm(ta, tb, alpha, a, b, beta, c);
        reference_backend().gemm(ta, tb, alpha, a, b, beta, expected);
        CHECK(relative_difference(c, expected) < 1e-5);
    }
}

TEST_CASE("gemm over an empty inner dimension scales its result by beta") {
    const Tensor a = Tensor::empty({2, 0}), b = Tensor::empty({0, 3});
    for (const double beta : {1.0, 0.5}) {
        const Tensor c = Tensor::full({2, 3}, 4);
        backend_for(default_device(), DType::float32).gemm(false, false, 1.0, a, b, beta, c);
        CHECK(c.to_vector<double>() == std::vector<double>(6, 4 * beta));
    }
    const Tensor c = Tensor::full({2, 3}, NAN);
    backend_for(default_device(), DType::float32).gemm(false, false, 1.0, a, b, 0.0, c);
    CHECK(c.to_vector<double>() == std::vector<double>(6, 0.0));
}

TEST_CASE("convolution agrees with the plain loops over every kind of geometry") {
    RandomInputs random(102);
    const std::vector<ConvCase> cases = {
        {{1, 1, 28, 28}, {32, 1, 5, 5}, {.pad_h = 2, .pad_w = 2}},
        {{3, 32, 14, 14}, {32, 32, 5, 5}, {.pad_h = 2, .pad_w = 2}},
        {{2, 3, 15, 13}, {17, 3, 3, 3}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
        {{5, 20, 7, 9}, {5, 20, 1, 1}, {}},
        {{1, 16, 9, 9}, {20, 16, 3, 3}, {.pad_h = 2, .pad_w = 2, .dilation_h = 2, .dilation_w = 2}},
        {{2, 16, 8, 8}, {16, 1, 3, 3}, {.pad_h = 1, .pad_w = 1, .groups = 16}},
        {{2, 5, 9, 7}, {10, 1, 5, 3}, {.stride_h = 2, .stride_w = 1, .pad_h = 2, .pad_w = 1, .groups = 5}},
        {{3, 12, 6, 5}, {9, 4, 3, 3}, {.pad_h = 1, .pad_w = 1, .groups = 3}},
        {{2, 32, 7, 7}, {64, 16, 3, 3}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1, .groups = 2}},
        {{1, 3, 32, 32}, {64, 3, 7, 7}, {.stride_h = 2, .stride_w = 2, .pad_h = 3, .pad_w = 3}},
    };
    for (const ConvCase& c : cases) check_conv(random, c);
}

TEST_CASE("convolution agrees with the plain loops over random geometries") {
    RandomInputs random(103);
    const std::vector<std::int64_t> channels{1, 3, 5, 16, 20};
    for (int k = 0; k < 15; ++k) {
        ConvGeometry g{.stride_h = random.integer(1, 3),
                       .stride_w = random.integer(1, 3),
                       .pad_h = random.integer(0, 3),
                       .pad_w = random.integer(0, 3),
                       .dilation_h = random.integer(1, 2),
                       .dilation_w = random.integer(1, 2)};
        const std::int64_t c = channels[static_cast<std::size_t>(k % 5)];
        const bool depthwise = k % 4 == 0;
        if (depthwise) g.groups = c;
        const Shape w{depthwise ? c : random.integer(1, 40), depthwise ? 1 : c, random.integer(1, 5),
                      random.integer(1, 5)};
        check_conv(random, {{random.integer(1, 4), c, random.integer(9, 17), random.integer(9, 17)}, w, g});
    }
}

TEST_CASE("convolution takes its weights in either layout") {
    RandomInputs random(111);
    const Tensor x = image(random, {2, 5, 6, 6}), w = image(random, {7, 5, 3, 3});
    const auto run = [&](Layout layout) {
        const Tensor weight = w.to(layout).clone().set_requires_grad();
        const Tensor y = conv2d(x, weight);
        sum(square(y)).backward();
        return std::pair(y.detach(), weight.grad());
    };
    const auto plain = run(Layout::row_major), swapped = run(Layout::channels_last);
    CHECK(relative_difference(swapped.first, plain.first) < 1e-6);
    CHECK(relative_difference(swapped.second, plain.second) < 1e-6);
}

TEST_CASE("pooling agrees with the plain loops over every geometry") {
    RandomInputs random(104);
    for (int k = 0; k < 20; ++k) {
        const std::int64_t height = random.integer(1, 4), width = random.integer(1, 4);
        const PoolGeometry g{.window_h = height,
                             .window_w = width,
                             .stride_h = random.integer(1, 3),
                             .stride_w = random.integer(1, 3),
                             .pad_h = random.integer(0, height / 2),
                             .pad_w = random.integer(0, width / 2)};
        const std::vector<std::int64_t> channels{1, 3, 5, 16, 20};
        const Shape shape{random.integer(1, 3), channels[static_cast<std::size_t>(k % 5)], random.integer(4, 11),
                          random.integer(4, 11)};
        INFO(str(shape, g));
        const Tensor x = random.distinct(shape, DType::float32);
        check_against_reference([g](const auto& in) { return max_pool2d(in[0], g); }, {x});
        check_against_reference([g](const auto& in) { return avg_pool2d(in[0], g); }, {image(random, shape)});
    }
}

TEST_CASE("batch norm agrees with the plain loops in training and evaluation, with and without relu") {
    RandomInputs random(105);
    for (const Shape& shape : {Shape{2, 1, 5, 5}, Shape{1, 3, 7, 5}, Shape{8, 5, 3, 3}, Shape{4, 16, 6, 6},
                               Shape{3, 20, 5, 1}, Shape{16, 33, 1, 1}, Shape{9, 7}, Shape{32, 64}}) {
        const Shape channels{shape[1]};
        const Tensor x = random.tensor(shape, -2, 3, DType::float32);
        const Tensor scale = random.tensor(channels, 0.5, 1.5, DType::float32), shift = image(random, channels);
        const Tensor mean = image(random, channels), variance = random.tensor(channels, 0.5, 2, DType::float32);
        for (const bool training : {true, false}) {
            for (const bool clamped : {true, false}) {
                INFO(shape.str() << (training ? ", training" : ", evaluation") << (clamped ? ", relu" : ""));
                const BatchNormOptions options{.training = training,
                                               .activation = clamped ? Activation::relu : Activation::none};
                check_against_reference(
                    [&](const auto& in) {
                        return batch_norm(in[0], in[1], in[2], mean.clone(), variance.clone(), options);
                    },
                    {x, scale, shift});
            }
        }
    }
}

TEST_CASE(
    "batch norm agrees with the plain loops with SiLU and GELU, and over more pixels than a thread takes at once") {
    RandomInputs random(113);
    for (const Shape& shape : {Shape{2, 3, 5, 4}, Shape{3, 24, 37, 29}, Shape{2, 130, 19, 21}, Shape{4, 16, 63, 40}}) {
        const Tensor x = random.tensor(shape, -2, 3, DType::float32), shift = image(random, {shape[1]});
        const Tensor scale = random.tensor({shape[1]}, 0.5, 1.5, DType::float32);
        const Tensor mean = image(random, {shape[1]}), variance = Tensor::full({shape[1]}, 0.7);
        for (const Activation activation :
             {Activation::none, Activation::silu, Activation::gelu, Activation::relu6, Activation::hard_swish}) {
            INFO(shape.str() << ", activation " << static_cast<int>(activation));
            check_against_reference(
                [&](const auto& in) {
                    return batch_norm(in[0], in[1], in[2], mean.clone(), variance.clone(), {.activation = activation});
                },
                {x, scale, shift});
        }
    }
}

TEST_CASE("depthwise convolutions of sixteens of channels agree with the plain loops, to the image's edge") {
    RandomInputs random(114);
    for (const std::int64_t kernel : {3, 5, 7}) {
        for (const std::int64_t stride : {1, 2}) {
            for (const Shape& shape : {Shape{2, 32, 9, 8}, Shape{1, 16, 6, 11}, Shape{3, 48, 5, 5}}) {
                const ConvGeometry g{.stride_h = stride,
                                     .stride_w = stride,
                                     .pad_h = kernel / 2,
                                     .pad_w = kernel / 2,
                                     .groups = shape[1]};
                INFO(shape.str() << ", kernel " << kernel << ", stride " << stride);
                const Tensor x = image(random, shape), w = image(random, {shape[1], 1, kernel, kernel});
                check_against_reference([&](const auto& in) { return conv2d(in[0], in[1], {}, g); }, {x, w});
            }
        }
    }
}

TEST_CASE("batch norm with a residual agrees with the plain loops in training and evaluation") {
    RandomInputs random(112);
    for (const Shape& shape : {Shape{2, 3, 5, 4}, Shape{3, 16, 7, 7}, Shape{4, 20, 1, 3}, Shape{9, 33, 9, 8}}) {
        const Tensor x = image(random, shape), residual = image(random, shape);
        const Tensor scale = image(random, {shape[1]}), shift = image(random, {shape[1]});
        const Tensor mean = image(random, {shape[1]}), variance = Tensor::full({shape[1]}, 0.7);
        for (const bool training : {true, false}) {
            for (const bool clamped : {false, true}) {
                INFO(shape.str() << (training ? ", training" : ", evaluation") << (clamped ? ", relu" : ""));
                const BatchNormOptions options{.training = training,
                                               .activation = clamped ? Activation::relu : Activation::none};
                check_against_reference(
                    [&](const auto& in) {
                        return batch_norm(in[0], in[1], in[2], mean.clone(), variance.clone(), options, in[3]);
                    },
                    {x, scale, shift, residual});
            }
        }
    }
}

TEST_CASE("batch norm's running statistics agree with the plain loops") {
    RandomInputs random(106);
    const Tensor x = random.tensor({6, 5, 7, 3}, 1, 9, DType::float32);
    const auto run = [&] {
        const Tensor one = Tensor::full({5}, 1), zero = Tensor::zeros({5});
        const std::vector<Tensor> running{Tensor::zeros({5}), Tensor::full({5}, 1)};
        batch_norm(x, one, zero, running[0], running[1]);
        return running;
    };
    const auto fast = run();
    const UseReferenceBackend guard;
    const auto plain = run();
    CHECK(relative_difference(fast[0], plain[0]) < 1e-5);
    CHECK(relative_difference(fast[1], plain[1]) < 1e-5);
}

TEST_CASE("batch norm keeps the digits of a variance far below the mean's square") {
    // In float32, rounding changes these inputs by 1e-5 of their standard deviation; E[x^2] - E[x]^2 would be wrong by
    // 2e-3.
    RandomInputs random(107);
    const Tensor x = random.tensor({8, 3, 9, 9}, 99, 101, DType::float32);
    const Tensor one = Tensor::full({3}, 1), zero = Tensor::zeros({3});
    check_against_reference([&](const auto& in) { return batch_norm(in[0], one, zero, zero.clone(), one.clone()); },
                            {x}, 1e-4);
}

TEST_CASE("pooling in bfloat16 agrees with float32") {
    RandomInputs random(113);
    const PoolGeometry g{.window_h = 3, .window_w = 2, .stride_h = 2, .stride_w = 2, .pad_h = 1};
    for (const bool maximum : {true, false}) {
        const auto run = [&, x = random.distinct({2, 5, 7, 6}, DType::bfloat16)](DType dtype) {
            const Tensor leaf = x.to(dtype).clone().set_requires_grad();
            const Tensor y = maximum ? max_pool2d(leaf, g) : avg_pool2d(leaf, g);
            backward(y, RandomInputs(6).tensor(y.shape(), -1, 1, DType::bfloat16).to(dtype));
            return std::pair(y.detach(), leaf.grad());
        };
        const auto rounded = run(DType::bfloat16), exact = run(DType::float32);
        CHECK(rounded.first.dtype() == DType::bfloat16);
        CHECK(relative_difference(rounded.first, exact.first) < 2e-2);
        CHECK(relative_difference(rounded.second, exact.second) < 2e-2);
    }
}

TEST_CASE("gemm takes bfloat16 matrices, and adds to a result of either type") {
    RandomInputs random(114);
    const Tensor a = random.tensor({9, 17}, -1, 1, DType::bfloat16), b = random.tensor({17, 5}, -1, 1, DType::bfloat16);
    const Tensor start = random.tensor({9, 5}, -1, 1, DType::bfloat16);
    const auto product = [&](DType operands, DType result) {
        const Tensor c = start.to(result).clone();
        backend_for(c.device(), operands).gemm(false, false, 0.5, a.to(operands), b.to(operands), 2.0, c);
        return c;
    };
    const Tensor exact = product(DType::float32, DType::float32);
    CHECK(relative_difference(product(DType::bfloat16, DType::bfloat16), exact) < 1e-2);
    CHECK(relative_difference(product(DType::bfloat16, DType::float32), exact) < 1e-5);
}

TEST_CASE("linear agrees with the plain loops") {
    RandomInputs random(108);
    for (const auto& [n, d, k] : {std::tuple{1, 1, 1}, {1, 1152, 32}, {128, 33, 10}, {7, 5, 3}}) {
        INFO(n << " rows from " << d << " to " << k);
        check_against_reference([](const auto& in) { return linear(in[0], in[1], in[2]); },
                                {image(random, {n, d}), image(random, {k, d}), image(random, {k})});
    }
}

TEST_CASE("the plain loops give the same in float32 and float64") {
    RandomInputs random(109);
    const Tensor x = random.tensor({2, 3, 6, 5}), w = random.tensor({4, 3, 3, 3});
    const UseReferenceBackend guard;
    const Tensor narrow = conv2d(x.to(DType::float32), w.to(DType::float32));
    CHECK(relative_difference(narrow, conv2d(x, w)) < 1e-6);
}

TEST_CASE("UseReferenceBackend nests and ends with its scope", "[host]") {
    const std::string fast = backend_for({}, DType::float32).describe();
    const std::string plain = backend_for({}, DType::float64).describe();
    CHECK(fast != plain);
    {
        const UseReferenceBackend outer;
        { const UseReferenceBackend inner; }
        CHECK(backend_for({}, DType::float32).describe() == plain);
    }
    CHECK(backend_for({}, DType::float32).describe() == fast);
}

TEST_CASE("results do not depend on the number of threads") {
    RandomInputs random(110);
    const Tensor x = image(random, {4, 16, 12, 12}), w = image(random, {20, 16, 3, 3});
    const TensorFunction f = [](const auto& in) { return conv2d(in[0], in[1]); };
    const UseReferenceBackend guard;
    set_num_threads(1);
    const auto one = results(f, {x, w}, Layout::row_major);
    set_num_threads(3);
    const auto three = results(f, {x, w}, Layout::row_major);
    set_num_threads(0);
    for (std::size_t i = 0; i < one.size(); ++i)
        CHECK(differences(one[i].to_vector<float>(), three[i].to_vector<float>()) == "");
}

TEST_CASE("the number of threads is what was set, and every core by default", "[host]") {
    set_num_threads(0);
    const int all = num_threads();
    CHECK(all >= 1);
    CHECK(error_of([] { set_num_threads(-1); }) == "threads: -1 is negative; 0 means every core");
    CHECK(num_threads() == all);
}

TEST_CASE("a backend that is not there is an error that says what is") {
    CHECK(error_of([] { backend_for(default_device(), DType::int64); }) ==
          "backend: no arithmetic on int64, expected float32, float64 or bfloat16");
}

TEST_CASE("the device is described in one line with its library and threads") {
    const std::string line = describe_device(default_device());
    CHECK(line.starts_with("device: " + default_device().str() + ", "));
    CHECK(line.find("thread") != std::string::npos);
    CHECK(line.find('\n') == std::string::npos);
}
