// Compares the devices' kernels for batch normalisation and biases, on the default device, with the plain loops.
#include "radial/core/backend/device_backend.h"

#include "../../../expect.h"
#include "../../random_inputs.h"
#include "radial/core/backend/reference/reference_backend.h"

using namespace radial;
using namespace radial::test;

namespace {

struct NormCase {
    Shape shape;
    DType dtype = DType::float32;
    bool relu = false, residual = false;
    Activation activation() const { return relu ? Activation::relu : Activation::none; }
    std::string str() const {
        return fmt::format("{} {}{}{}", name_of(dtype), shape.str(), relu ? ", relu" : "",
                           residual ? ", residual" : "");
    }
    double tolerance() const { return dtype == DType::bfloat16 ? 1e-2 : 2e-5; }
};

/// All combinations of type, clamp and residual, for shapes with odd sizes, with whole packs of channels, and with a
/// single image or channel.
std::vector<NormCase> all_cases() {
    std::vector<NormCase> cases;
    for (const Shape& shape : {Shape{2, 1, 5, 3}, Shape{1, 3, 7, 5}, Shape{3, 16, 3, 3}, Shape{1, 64, 9, 11},
                               Shape{5, 70, 1, 3}, Shape{9, 24, 13, 17}, Shape{2, 4, 1, 1}})
        for (const DType dtype : {DType::float32, DType::bfloat16})
            for (const bool relu : {false, true})
                for (const bool residual : {false, true}) cases.push_back({shape, dtype, relu, residual});
    return cases;
}

Tensor image(RandomInputs& random, const Shape& shape, DType dtype, double low = -1, double high = 1) {
    return random.tensor(shape, low, high, DType::float32).to(dtype).to(Layout::channels_last);
}

struct Inputs {
    Tensor x, scale, shift, residual, dy;
    Inputs(RandomInputs& random, const NormCase& c, double low = -2, double high = 3)
        : x(image(random, c.shape, c.dtype, low, high)),
          scale(random.tensor({c.shape[1]}, 0.5, 1.5, DType::float32)),
          shift(random.tensor({c.shape[1]}, -1, 1, DType::float32)),
          residual(c.residual ? image(random, c.shape, c.dtype) : Tensor()),
          dy(image(random, c.shape, c.dtype)) {}
};

struct Results {
    Tensor y, mean, variance;
    BatchNormGrads grads;
};

constexpr double epsilon = 1e-5;

/// Runs the forward and the backward pass: with the kernels in c's type if `clamped_by` is undefined, otherwise with
/// the plain loops in float64. The plain loops' backward pass uses `clamped_by`, the y of the kernels, so that both
/// clamp the same elements.
Results run(const Inputs& in, const NormCase& c, const Tensor& clamped_by) {
    const bool plain = clamped_by.defined();
    const auto wide = [&](const Tensor& t) { return plain && t.defined() ? t.to(DType::float64) : t; };
    const Tensor x = wide(in.x), scale = wide(in.scale), shift = wide(in.shift), residual = wide(in.residual);
    Results r{Tensor::empty_like(x), Tensor::empty_like(scale), Tensor::empty_like(scale), {}};
    Backend& reference = reference_backend();
    const Tensor workspace =
        plain
            ? reference.batch_norm_forward(x, scale, shift, residual, epsilon, c.activation(), r.mean, r.variance, r.y)
            : device_norm_forward(x, scale, shift, residual, epsilon, c.activation(), r.mean, r.variance, r.y);
    const BatchNormSaved saved{x,         scale,   shift,         r.mean, r.variance, plain ? wide(clamped_by) : r.y,
                               workspace, epsilon, c.activation()};
    r.grads = {Tensor::empty_like(x), Tensor::empty_like(scale), Tensor::empty_like(scale), {}};
    if (c.relu && c.residual) r.grads.dresidual = Tensor::empty_like(x);
    if (plain) {
        reference.batch_norm_backward(saved, wide(in.dy), r.grads);
    } else {
        device_norm_backward(saved, in.dy, r.grads);
    }
    return r;
}

void check_case(const NormCase& c, const Inputs& in) {
    INFO(c.str());
    const Results fast = run(in, c, {}), plain = run(in, c, fast.y);
    CHECK(relative_difference(fast.mean, plain.mean, 1.0) < 1e-5);
    CHECK(relative_difference(fast.variance, plain.variance) < 1e-5);
    CHECK(relative_difference(fast.y, plain.y) < c.tolerance());
    CHECK(relative_difference(fast.grads.dx, plain.grads.dx, 1.0) < 2 * c.tolerance());
    CHECK(relative_difference(fast.grads.dscale, plain.grads.dscale) < 1e-4);
    CHECK(relative_difference(fast.grads.dshift, plain.grads.dshift) < 1e-4);
    if (fast.grads.dresidual.defined())
        CHECK(relative_difference(fast.grads.dresidual, plain.grads.dresidual) < c.tolerance());
}

}  // namespace

TEST_CASE("the devices' batch norm agrees with the plain loops over every size and fusion", "[core][device_norm]") {
    RandomInputs random(201);
    for (const NormCase& c : all_cases()) check_case(c, Inputs(random, c));
}

TEST_CASE("the devices' batch norm keeps the digits of a variance far below the mean's square", "[core][device_norm]") {
    RandomInputs random(202);
    const NormCase c{{8, 16, 9, 9}};
    const Inputs in(random, c, 999, 1001);
    const Results fast = run(in, c, {}), plain = run(in, c, fast.y);
    CHECK(relative_difference(fast.variance, plain.variance) < 1e-5);
    CHECK(relative_difference(fast.y, plain.y) < 2e-4);  // the mean's rounding is 1e-4 of the standard deviation
}

TEST_CASE("the devices' batch norm gives a constant channel variance zero and its shift", "[core][device_norm]") {
    const Tensor x = Tensor::full({3, 8, 5, 5}, 7.3).to(Layout::channels_last), y = Tensor::empty_like(x);
    const Tensor scale = Tensor::full({8}, 2), shift = Tensor::full({8}, 0.25), mean = Tensor::empty({8}),
                 variance = Tensor::empty({8});
    device_norm_forward(x, scale, shift, {}, epsilon, Activation::none, mean, variance, y);
    CHECK(variance.to_vector<double>() == std::vector<double>(8, 0.0));
    CHECK(y.to_vector<double>() == std::vector<double>(static_cast<std::size_t>(y.numel()), 0.25));
}

TEST_CASE("the devices' batch norm applies given statistics as the plain loops do", "[core][device_norm]") {
    RandomInputs random(203);
    for (const NormCase& c : all_cases()) {
        INFO(c.str());
        const Inputs in(random, c);
        const Tensor mean = random.tensor({c.shape[1]}, -1, 1, DType::float32);
        const Tensor variance = random.tensor({c.shape[1]}, 0.5, 2, DType::float32);
        const Tensor fast = Tensor::empty_like(in.x), plain = Tensor::empty_like(in.x);
        device_norm_apply(in.x, in.scale, in.shift, in.residual, mean, variance, epsilon, c.activation(), fast);
        reference_backend().batch_norm_apply(in.x, in.scale, in.shift, in.residual, mean, variance, epsilon,
                                             c.activation(), plain);
        CHECK(relative_difference(fast, plain) < c.tolerance());
    }
}

TEST_CASE("a NaN in one channel spoils that channel alone in the devices' batch norm", "[core][device_norm]") {
    for (const std::int64_t channels : {3, 8}) {
        for (const std::int64_t place : {0, 2}) {  // the sums are relative to the first row
            INFO(channels << " channels, row " << place);
            std::vector<float> values(static_cast<std::size_t>(4 * channels));
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * i % 7);
            values[static_cast<std::size_t>(place * channels + 1)] = NAN;
            const Tensor x = Tensor::from(values, {4, channels, 1, 1}).to(Layout::channels_last);
            const Tensor one = Tensor::full({channels}, 1), zero = Tensor::zeros({channels});
            const Tensor mean = Tensor::empty({channels}), variance = Tensor::empty({channels});
            const Tensor y = Tensor::empty_like(x), dx = Tensor::empty_like(x), dscale = Tensor::empty({channels}),
                         dshift = Tensor::empty({channels});
            const Tensor workspace =
                device_norm_forward(x, one, zero, {}, epsilon, Activation::relu, mean, variance, y);
            device_norm_backward({x, one, zero, mean, variance, {}, workspace, epsilon, Activation::relu}, x,
                                 {dx, dscale, dshift, {}});
            const auto clamped = y.to_vector<float>(), gradient = dx.to_vector<float>();
            for (std::size_t i = 0; i < clamped.size(); ++i) {
                CHECK(std::isnan(clamped[i]) == (i % static_cast<std::size_t>(channels) == 1));
                CHECK(std::isnan(gradient[i]) == (i % static_cast<std::size_t>(channels) == 1));
            }
            CHECK(std::isnan(mean.to_vector<float>()[1]));
            CHECK(std::isnan(variance.to_vector<float>()[1]));
            CHECK(std::isfinite(variance.to_vector<float>()[0]));
        }
    }
}

TEST_CASE("the devices' batch norm takes tensors that begin off a 16-byte boundary", "[core][device_norm]") {
    RandomInputs random(204);
    const NormCase c{{18, 8, 1, 1}};
    Inputs in(random, c);
    const Tensor shifted = Tensor::zeros({1 + in.x.numel()}).rows(1, 1 + in.x.numel()).view(c.shape);
    shifted.copy_(in.x);
    in.x = shifted.to(Layout::channels_last);  // changes only the layout's name: the order of the elements is the same
    CHECK(reinterpret_cast<std::uintptr_t>(in.x.raw()) % 16 == 4);
    check_case(c, in);
}

TEST_CASE("the devices' batch norm may write the residual's gradient over dy", "[core][device_norm]") {
    RandomInputs random(205);
    const NormCase c{{3, 16, 5, 3}, DType::bfloat16, true, true};
    const Inputs in(random, c);
    const Results apart = run(in, c, {});
    const BatchNormSaved saved{in.x,    in.scale, in.shift, apart.mean,      apart.variance,
                               apart.y, {},       epsilon,  Activation::relu};
    const Tensor dy = in.dy.clone();
    const BatchNormGrads over{Tensor::empty_like(in.x), Tensor::empty_like(in.scale), Tensor::empty_like(in.shift), dy};
    device_norm_backward(saved, dy, over);
    CHECK(differences(dy.to_vector<float>(), apart.grads.dresidual.to_vector<float>()) == "");
    CHECK(differences(over.dx.to_vector<float>(), apart.grads.dx.to_vector<float>()) == "");
}

TEST_CASE("the devices' batch norm names a type that it does not take", "[core][device_norm]") {
    const Tensor x = Tensor::zeros({2, 3, 1, 1}, DType::float64), v = Tensor::zeros({3}, DType::float64);
    CHECK(error_of([&] { device_norm_forward(x, v, v, {}, epsilon, Activation::none, v, v, x); }) ==
          "batch_norm: dtype is float64, expected float32 or bfloat16");
}
