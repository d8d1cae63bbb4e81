// Tests of pooling: gradients for all geometries, values, messages.
#include "../gradcheck.h"

using namespace radial;
using namespace radial::test;

namespace {

struct PoolCase {
    Shape x;
    PoolGeometry geometry;
};

const std::vector<PoolCase> cases = {
    {{1, 1, 4, 4}, {}},
    {{2, 3, 5, 7}, {}},
    {{1, 5, 6, 5}, {.window_h = 3, .window_w = 3, .stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
    {{2, 3, 5, 5}, {.window_h = 3, .window_w = 3, .stride_h = 1, .stride_w = 1, .pad_h = 1, .pad_w = 1}},
    {{1, 16, 4, 5}, {.window_h = 2, .window_w = 3, .stride_h = 1, .stride_w = 2, .pad_h = 0, .pad_w = 1}},
    {{1, 20, 3, 4}, {.window_h = 2, .window_w = 2, .stride_h = 1, .stride_w = 1}},
    {{2, 3, 8, 7}, {.window_h = 2, .window_w = 2, .stride_h = 3, .stride_w = 3}},
    {{3, 1, 3, 5}, {.window_h = 3, .window_w = 5, .stride_h = 3, .stride_w = 5}},
    {{1, 3, 7, 9}, {.window_h = 5, .window_w = 4, .stride_h = 2, .stride_w = 3, .pad_h = 2, .pad_w = 2}},
    {{2, 5, 3, 3}, {.window_h = 1, .window_w = 1, .stride_h = 1, .stride_w = 1}},
    {{1, 2, 20, 18}, {.window_h = 17, .window_w = 16, .stride_h = 1, .stride_w = 1}},  // 272 elements per window
};

std::string describe(const PoolCase& c) {
    const PoolGeometry& g = c.geometry;
    return fmt::format("x {}, window {}x{}, stride {}x{}, pad {}x{}", c.x.str(), g.window_h, g.window_w, g.stride_h,
                       g.stride_w, g.pad_h, g.pad_w);
}

}  // namespace

TEST_CASE("gradients of max_pool2d agree with differences over every geometry") {
    RandomInputs random(71);
    for (const PoolCase& c : cases) {
        INFO(describe(c));
        const TensorFunction f = [g = c.geometry](const auto& in) { return max_pool2d(in[0], g); };
        CHECK(gradient_problem(f, {random.distinct(c.x)}) == "");
    }
}

TEST_CASE("gradients of avg_pool2d agree with differences over every geometry") {
    RandomInputs random(72);
    for (const PoolCase& c : cases) {
        INFO(describe(c));
        const TensorFunction f = [g = c.geometry](const auto& in) { return avg_pool2d(in[0], g); };
        CHECK(gradient_problem(f, {random.tensor(c.x)}) == "");
    }
}

TEST_CASE("global_avg_pool is the mean over height and width in either layout, of any number of channels") {
    RandomInputs random(46);
    for (const std::int64_t channels : {1, 63, 64, 65, 200}) {
        const Tensor x = random.tensor({3, channels, 5, 7}, -1, 1, DType::float32).to(default_device());
        const Tensor expected = mean(x, {2, 3});
        global_avg_pool(x * 0.0);  // leaves zeros in the reused memory, so that unwritten elements are found
        for (const Layout layout : {Layout::channels_last, Layout::row_major}) {
            INFO(channels << " channels, " << name_of(layout));
            CHECK(relative_difference(global_avg_pool(x.to(layout)), expected) < 1e-6);
        }
    }
}

TEST_CASE("gradients of global_avg_pool agree with differences") {
    RandomInputs random(73);
    for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{1, 3, 5, 4}, Shape{2, 16, 3, 3}, Shape{3, 20, 1, 7}}) {
        INFO(shape.str());
        CHECK(gradient_problem([](const auto& in) { return global_avg_pool(in[0]); }, {random.tensor(shape)}) == "");
    }
}

TEST_CASE("pooling gives the values of its definition and rounds extents down") {
    const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {1, 1, 3, 5});
    using Values = std::vector<double>;
    CHECK(max_pool2d(x).shape() == Shape{1, 1, 1, 2});
    CHECK(max_pool2d(x).to_vector<double>() == Values{7, 9});
    CHECK(avg_pool2d(x).to_vector<double>() == Values{4, 6});
    CHECK(global_avg_pool(x).shape() == Shape{1, 1});
    CHECK(global_avg_pool(x).item() == 8);
}

TEST_CASE("padding never wins a maximum and never counts in an average") {
    const Tensor x = Tensor::full({1, 1, 3, 3}, -4.0);
    const PoolGeometry g{.window_h = 3, .window_w = 3, .stride_h = 1, .stride_w = 1, .pad_h = 1, .pad_w = 1};
    CHECK(max_pool2d(x, g).to_vector<double>() == std::vector<double>(9, -4));
    CHECK(avg_pool2d(x, g).to_vector<double>() == std::vector<double>(9, -4));
}

TEST_CASE("the first of equals gets a maximum's gradient") {
    for (const DType dtype : {DType::float32, DType::float64}) {
        const Tensor x = Tensor::full({1, 1, 2, 4}, 1, dtype).set_requires_grad();
        backward(max_pool2d(x), Tensor::full({1, 1, 1, 2}, 5, dtype));
        CHECK(x.grad().to_vector<double>() == std::vector<double>{5, 0, 5, 0, 0, 0, 0, 0});
    }
}

TEST_CASE("pooling of bfloat16 is that of its values, rounded, for any number of channels") {
    const UseReferenceBackend plain;  // the CPU's fast path supports float32 only
    RandomInputs random(74);
    for (const std::int64_t channels : {1, 3, 8, 24}) {
        const PoolGeometry g{.window_h = 3, .window_w = 3, .stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1};
        const Tensor values = random.tensor({2, channels, 7, 6}).to(DType::bfloat16);
        const Tensor seed = random.tensor({2, channels, 4, 3}).to(DType::bfloat16);
        for (auto* const pool : {&max_pool2d, &avg_pool2d}) {
            const auto run = [&](DType dtype) {
                const Tensor x = values.to(dtype).clone().set_requires_grad();
                const Tensor y = (*pool)(x, g);
                backward(y, seed.to(dtype));
                CHECK(x.grad().dtype() == dtype);
                return std::pair{y.detach(), x.grad()};
            };
            const auto narrow = run(DType::bfloat16), wide = run(DType::float64);
            INFO(channels << " channels");
            CHECK(differences(narrow.first.to_vector<double>(), wide.first.to(DType::bfloat16).to_vector<double>()) ==
                  "");
            CHECK(relative_difference(narrow.second, wide.second) < 0x1p-8);
        }
    }
}

TEST_CASE("global_avg_pool of large planes, in any type and layout, is the mean of the values") {
    RandomInputs random(75);
    const Tensor values = random.tensor({2, 5, 70, 71}, 1, 2).to(DType::bfloat16);
    const Tensor expected = mean(values.to(DType::float64), {2, 3}), seed = random.tensor({2, 5}).to(DType::bfloat16);
    for (const DType dtype : {DType::bfloat16, DType::float32, DType::float64}) {
        for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
            INFO(name_of(dtype) << ", " << name_of(layout));
            const Tensor x = values.to(dtype).to(layout).clone().set_requires_grad();
            const Tensor y = global_avg_pool(x);
            const double tolerance = dtype == DType::bfloat16 ? 0x1p-8 : 1e-6;
            CHECK(y.dtype() == dtype);
            CHECK(relative_difference(y, expected) < tolerance);
            backward(y, seed.to(dtype));
            const Tensor share = seed.to(DType::float64).view({2, 5, 1, 1}) * (1.0 / (70 * 71));
            const Tensor spread = Tensor::zeros({2, 5, 70, 71}, DType::float64) + share;
            CHECK(relative_difference(x.grad(), spread) < tolerance);
        }
    }
}

TEST_CASE("pooling of what does not fit says what it is") {
    const Tensor x = Tensor::zeros({1, 3, 4, 4});
    CHECK(error_of([] {
              max_pool2d(Tensor::zeros({3, 4, 4}));
          }) == "max_pool2d: input is [3, 4, 4], expected [N, C, H, W]");
    CHECK(error_of([&] { avg_pool2d(x, {.window_h = 0}); }) ==
          "avg_pool2d: window is 0 x 2 and stride (2, 2), expected at least 1");
    CHECK(error_of([&] { max_pool2d(x, {.stride_w = 0}); }) ==
          "max_pool2d: window is 2 x 2 and stride (2, 0), expected at least 1");
    CHECK(error_of([&] { max_pool2d(x, {.pad_h = 2}); }) ==
          "max_pool2d: padding is (2, 0), expected at most half the window 2 x 2");
    CHECK(error_of([&] { avg_pool2d(x, {.window_h = 5}); }) ==
          "avg_pool2d: window 5 x 2 does not fit input [1, 3, 4, 4] with padding (0, 0)");
    CHECK(error_of([] {
              global_avg_pool(Tensor::zeros({3, 4}));
          }) == "global_avg_pool: input is [3, 4], expected [N, C, H, W]");
    CHECK(error_of([] {
              global_avg_pool(Tensor::zeros({3, 4, 0, 2}));
          }) == "global_avg_pool: input [3, 4, 0, 2] has no pixels");
}
