// Tests of layer, RMS, group and instance normalisation: values, precision far from 0, layouts, bfloat16, messages.
#include "../gradcheck.h"

#include <cmath>

namespace radial::test {
namespace {

using Values = std::vector<double>;

/// Values within 2 of `centre` in float32.
Tensor around(double centre, const Shape& shape, std::uint64_t seed = 7) {
    RandomInputs random(seed);
    return random.tensor(shape, centre - 2, centre + 2, DType::float32);
}

/// The result of f(x) and the gradient of x, where `seed` is the gradient of the result.
std::pair<Tensor, Tensor> with_gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x,
                                        const Tensor& seed) {
    Tensor leaf = x.clone().set_requires_grad();
    const Tensor y = f(leaf);
    backward(y, seed.to(x.dtype()));
    return {y.detach(), leaf.grad()};
}

using Function = std::function<Tensor(const Tensor&)>;
const std::vector<std::pair<std::string, Function>> norms_of_images = {
    {"layer_norm",
     [](const Tensor& x) {
         return layer_norm(x, {x.size(2), x.size(3)});
     }},
    {"layer_norm2d", [](const Tensor& x) { return layer_norm2d(x); }},
    {"group_norm", [](const Tensor& x) { return group_norm(x, 4); }},
    {"instance_norm", [](const Tensor& x) { return instance_norm(x); }},
    {"rms_norm", [](const Tensor& x) { return rms_norm(x, {x.size(3)}); }},
};

}  // namespace

TEST_CASE("norms have the values of their definitions") {
    const Tensor x = Tensor::from<double>({1, 3, 5, 9}, {2, 2});
    CHECK(layer_norm(x, {2}, {}, {}, 0).to_vector<double>() == Values{-1, 1, -1, 1});
    const Tensor weight = Tensor::from<double>({2, 3}, {2}), bias = Tensor::from<double>({10, 20}, {2});
    CHECK(layer_norm(x, {2}, weight, bias, 0).to_vector<double>() == Values{8, 23, 8, 23});
    CHECK(layer_norm(x, {2}, {}, {}, 3).to_vector<double>() == Values{-0.5, 0.5, -2 / std::sqrt(7), 2 / std::sqrt(7)});
    CHECK(group_norm(x, 1, weight, bias, 0).to_vector<double>() == Values{8, 23, 8, 23});
    CHECK(rms_norm(Tensor::from<double>({1, 7}, {2}), {2}, weight, 0).to_vector<double>() == Values{0.4, 4.2});
    const Tensor images = Tensor::from<double>({1, 3, 5, 9}, {1, 2, 1, 2});
    CHECK(instance_norm(images, weight, bias, 0).to_vector<double>() == Values{8, 12, 17, 23});
    CHECK(layer_norm2d(images, weight, bias, 0).to_vector<double>() == Values{8, 8, 23, 23});
}

TEST_CASE("float32 norms of values around 10000 are as precise as of values around 0", "[host]") {
    const Tensor x = around(1e4, {3, 8, 7, 5}), seed = around(0, {3, 8, 7, 5}, 8);
    for (const auto& [name, f] : norms_of_images) {
        if (name == "rms_norm") continue;
        for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
            INFO(name << ", " << name_of(layout));
            const auto [y, dx] = with_gradient(f, x.to(layout), seed);
            const auto [exact, exact_dx] = with_gradient(f, x.to(DType::float64), seed);
            CHECK(relative_difference(y, exact) < 2e-6);
            CHECK(relative_difference(dx, exact_dx) < 2e-6);
        }
    }
}

TEST_CASE("an outlier at the start of a row does not spoil the variance", "[host]") {
    const Tensor x = around(0, {2, 8, 16, 16});
    for (std::int64_t n = 0; n < 2; ++n) x.data<float>()[n * 8 * 256] = 1e6F;
    for (const auto& [name, f] : norms_of_images) {
        for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
            INFO(name << ", " << name_of(layout));
            CHECK(relative_difference(f(x.to(layout)), f(x.to(DType::float64))) < 1e-6);
        }
    }
}

TEST_CASE("rows of equal values become the bias, with finite gradients") {
    const Tensor x = Tensor::full({2, 8, 4, 4}, 0.1);
    for (const auto& [name, f] : norms_of_images) {
        if (name == "rms_norm") continue;
        INFO(name);
        const auto [y, dx] = with_gradient(f, x, around(0, x.shape()));
        for (const double v : y.to_vector<double>()) CHECK(std::abs(v) < 1e-6);
        for (const double v : dx.to_vector<double>()) CHECK(std::isfinite(v));
    }
    CHECK(rms_norm(Tensor::zeros({1, 3}), {3}).to_vector<double>() == Values{0, 0, 0});
}

TEST_CASE("a NaN stays within the row or group that it is in") {
    const Tensor x = around(0, {2, 4});
    x.copy_(Tensor::from<float>({1, 2, 3, NAN, 1, 2, 3, 4}, {2, 4}));
    const Values y = layer_norm(x, {4}).to_vector<double>(), z = group_norm(x, 2).to_vector<double>();
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(std::isnan(y[i]) == (i < 4));
        CHECK(std::isnan(z[i]) == (i == 2 || i == 3));
    }
}

TEST_CASE("norms of images keep or choose their layout and give the same values in both") {
    const Tensor x = around(1, {2, 8, 3, 5}), seed = around(0, {2, 8, 3, 5}, 8);
    for (const auto& [name, f] : norms_of_images) {
        INFO(name);
        const auto [y, dx] = with_gradient(f, x, seed);
        const auto [other, other_dx] = with_gradient(f, x.to(Layout::channels_last), seed.to(Layout::channels_last));
        CHECK(relative_difference(y, other) < 1e-6);
        CHECK(relative_difference(dx, other_dx) < 1e-5);
    }
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
        CHECK(group_norm(x.to(layout), 2).layout() == layout);
        CHECK(layer_norm2d(x.to(layout)).layout() == Layout::channels_last);
        CHECK(layer_norm(x.to(layout), {5}).layout() == Layout::row_major);
    }
}

TEST_CASE("norms do not depend on the number of threads", "[host]") {
    const Tensor x = around(1, {4, 48, 16, 16}), weight = around(1, {48});
    const auto run = [&](Layout layout) {
        std::vector<Values> all;
        for (const Function& f : {Function([&](const Tensor& in) { return group_norm(in, 6, weight); }),
                                  Function([&](const Tensor& in) { return layer_norm2d(in, weight); })}) {
            weight.clear_grad();
            const auto [y, dx] = with_gradient(f, x.to(layout), around(0, x.shape(), 8));
            for (const Tensor& t : {y, dx, weight.grad()}) all.push_back(t.to_vector<double>());
        }
        return all;
    };
    Tensor(weight).set_requires_grad();
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
        set_num_threads(1);
        const auto one = run(layout);
        set_num_threads(3);
        const auto three = run(layout);
        set_num_threads(0);
        CHECK(one == three);
    }
}

TEST_CASE("bfloat16 norms use float32 weights and round once") {
    const Tensor x = around(3, {2, 8, 3, 5}).to(DType::bfloat16), weight = around(1, {8}), bias = around(0, {8});
    const Tensor exact = group_norm(x.to(DType::float32), 4, weight, bias);
    CHECK(relative_difference(group_norm(x, 4, weight, bias), exact) < 0.004);
    CHECK(relative_difference(layer_norm2d(x, weight, bias), layer_norm2d(x.to(DType::float32), weight, bias)) < 0.004);
    Tensor scale = around(1, {5}).set_requires_grad();
    const Tensor y = layer_norm(x, {5}, scale);
    CHECK(y.dtype() == DType::bfloat16);
    backward(y, Tensor::full(y.shape(), 1, DType::bfloat16));
    CHECK(scale.grad().dtype() == DType::float32);
    CHECK(error_of([&] { layer_norm(x, {5}, scale.detach().to(DType::bfloat16)); }) ==
          "layer_norm: weight is bfloat16[5], expected float32");
}

TEST_CASE("norms of empty tensors are empty and give their weights a gradient of 0") {
    Tensor weight = Tensor::full({4}, 2).set_requires_grad();
    for (const Shape& shape : {Shape{0, 4}, Shape{0, 2, 3, 4}}) {
        const Tensor y = layer_norm(Tensor::zeros(shape), {4}, weight);
        CHECK(y.shape() == shape);
        weight.clear_grad();
        backward(y, Tensor::zeros(shape));
        CHECK(weight.grad().to_vector<double>() == Values{0, 0, 0, 0});
    }
    for (const Shape& shape : {Shape{0, 4, 2, 2}, Shape{3, 4, 0, 2}, Shape{0, 4}}) {
        weight.clear_grad();
        const Tensor y = group_norm(Tensor::zeros(shape), 2, weight);
        CHECK(y.shape() == shape);
        backward(y, Tensor::zeros(shape));
        CHECK(weight.grad().to_vector<double>() == Values{0, 0, 0, 0});
    }
    CHECK(layer_norm(Tensor::zeros({3, 0}), {0}).shape() == Shape{3, 0});
}

TEST_CASE("norms name what does not fit") {
    const Tensor x = Tensor::zeros({2, 6, 3, 4});
    CHECK(error_of([&] { layer_norm(x, {3}); }) ==
          "layer_norm: input is [2, 6, 3, 4], expected [3] as its last extents");
    CHECK(error_of([&] { rms_norm(x, {}); }) == "rms_norm: input is [2, 6, 3, 4], expected [] as its last extents");
    CHECK(error_of([&] { layer_norm(x, {4}, Tensor::zeros({3})); }) == "layer_norm: weight is [3], expected [4]");
    CHECK(error_of([&] { layer_norm(x, {4}, {}, {}, -1); }) == "layer_norm: epsilon is -1, expected at least 0");
    CHECK(error_of([&] { group_norm(x, 4); }) == "group_norm: 4 groups do not divide the 6 channels of [2, 6, 3, 4]");
    CHECK(error_of([&] { group_norm(x, 3, {}, Tensor::zeros({3})); }) == "group_norm: bias is [3], expected [6]");
    CHECK(error_of([&] {
              instance_norm(Tensor::zeros({2, 6, 1, 1}));
          }) == "instance_norm: input [2, 6, 1, 1] has a single value a channel and image, too few to normalise");
    CHECK(error_of([&] {
              layer_norm2d(Tensor::zeros({2, 6}));
          }) == "layer_norm2d: input is [2, 6], expected [N, C, H, W]");
    CHECK(error_of([&] { group_norm(Tensor::zeros({6}), 2); }) == "group_norm: input is [6], expected [N, C, ...]");
}

}  // namespace radial::test
