// Tests of batch normalisation: gradients in training and evaluation, with and without ReLU; running statistics;
// messages.
#include "../gradcheck.h"

using namespace radial;
using namespace radial::test;

namespace {

/// batch_norm with a new copy of the running statistics in each call, so that repeated calls give the same result. A
/// fourth input is the residual.
TensorFunction batch_norm_of(const Tensor& running_mean, const Tensor& running_variance,
                             const BatchNormOptions& options) {
    return [=](const std::vector<Tensor>& in) {
        return batch_norm(in[0], in[1], in[2], running_mean.clone(), running_variance.clone(), options,
                          in.size() > 3 ? in[3] : Tensor());
    };
}

struct NormInputs {
    Tensor x, scale, shift, mean, variance, residual{};
    std::vector<Tensor> differentiable() const {
        if (residual.defined()) return {x, scale, shift, residual};
        return {x, scale, shift};
    }
};

enum class Residual : std::uint8_t { absent, present };

/// The values at which the derivative of an activation jumps.
std::vector<double> kinks_of(Activation activation) {
    if (activation == Activation::relu) return {0};
    if (activation == Activation::relu6) return {0, 6};
    if (activation == Activation::hard_swish) return {-3, 3};
    return {};
}

/// Inputs for which no result is within 0.02 of a kink of the activation.
NormInputs inputs_for(RandomInputs& random, const Shape& shape, const BatchNormOptions& options,
                      Residual residual = Residual::absent) {
    const Shape channels{shape[1]};
    for (int attempt = 0; attempt < 1000; ++attempt) {
        NormInputs in{random.tensor(shape, -2, 2), random.tensor(channels, 0.5, 1.5), random.tensor(channels),
                      random.tensor(channels), random.tensor(channels, 0.5, 2)};
        if (residual == Residual::present) in.residual = random.tensor(shape, -2, 2);
        BatchNormOptions plain = options;
        plain.activation = Activation::none;
        const auto y = batch_norm_of(in.mean, in.variance, plain)(in.differentiable()).to_vector<double>();
        const std::vector<double> kinks = kinks_of(options.activation);
        const auto near = [&kinks](double v) {
            return std::any_of(kinks.begin(), kinks.end(), [v](double kink) { return std::abs(v - kink) < 0.02; });
        };
        if (std::none_of(y.begin(), y.end(), near)) return in;
    }
    throw Error("no inputs away from the activation's kinks for " + shape.str());
}

void check_batch_norm(const BatchNormOptions& options, Residual residual = Residual::absent) {
    RandomInputs random(81);
    for (const Shape& shape : {Shape{2, 1, 3, 3}, Shape{1, 3, 5, 4}, Shape{3, 5, 3, 1}, Shape{2, 16, 2, 2},
                               Shape{4, 20, 1, 1}, Shape{5, 3}, Shape{7, 5}}) {
        INFO(shape.str() << (options.training ? ", training" : ", evaluation")
                         << (options.activation == Activation::relu ? ", relu" : ""));
        const NormInputs in = inputs_for(random, shape, options, residual);
        CHECK(gradient_problem(batch_norm_of(in.mean, in.variance, options), in.differentiable()) == "");
    }
}

}  // namespace

TEST_CASE("gradients of batch_norm agree with differences in training") { check_batch_norm({}); }

TEST_CASE("gradients of batch_norm agree with differences in training with relu") {
    check_batch_norm({.activation = Activation::relu});
}

TEST_CASE("gradients of batch_norm agree with differences with silu, gelu, relu6 and hard_swish") {
    for (const Activation activation :
         {Activation::silu, Activation::gelu, Activation::relu6, Activation::hard_swish}) {
        check_batch_norm({.activation = activation});
        check_batch_norm({.training = false, .activation = activation}, Residual::present);
    }
}

TEST_CASE("gradients of batch_norm agree with differences in evaluation") { check_batch_norm({.training = false}); }

TEST_CASE("gradients of batch_norm agree with differences in evaluation with relu") {
    check_batch_norm({.training = false, .activation = Activation::relu});
}

TEST_CASE("gradients of batch_norm with a residual agree with differences in training") {
    check_batch_norm({}, Residual::present);
    check_batch_norm({.activation = Activation::relu}, Residual::present);
}

TEST_CASE("gradients of batch_norm with a residual agree with differences in evaluation") {
    check_batch_norm({.training = false}, Residual::present);
    check_batch_norm({.training = false, .activation = Activation::relu}, Residual::present);
}

TEST_CASE("batch_norm in training gives each channel mean shift and deviation scale") {
    RandomInputs random(82);
    const Tensor x = random.tensor({4, 3, 5, 5}, 2, 8);
    const Tensor scale = Tensor::from<double>({1, 2, 3}, {3}), shift = Tensor::from<double>({-1, 0, 5}, {3});
    const Tensor running_mean = Tensor::zeros({3}, DType::float64);
    const Tensor running_variance = Tensor::full({3}, 1, DType::float64);
    const Tensor y = batch_norm(x, scale, shift, running_mean, running_variance, {.epsilon = 0});
    const Tensor centre = mean(y, {0, 2, 3}, true);
    const auto means = centre.to_vector<double>(), variances = mean(square(y - centre), {0, 2, 3}).to_vector<double>();
    for (std::size_t c = 0; c < 3; ++c) {
        CHECK(means[c] == Approx(shift.to_vector<double>()[c]).margin(1e-9));
        CHECK(variances[c] == Approx(std::pow(scale.to_vector<double>()[c], 2)));
    }
}

TEST_CASE("batch_norm moves its running statistics by momentum, with the unbiased variance") {
    const Tensor x = Tensor::from<float>({1, 2, 3, 6}, {4, 1});  // mean 3, unbiased variance 14 / 3
    const Tensor one = Tensor::full({1}, 1), zero = Tensor::zeros({1});
    const Tensor running_mean = Tensor::full({1}, 10), running_variance = Tensor::full({1}, 2);
    batch_norm(x, one, zero, running_mean, running_variance, {.momentum = 0.1});
    CHECK(running_mean.item() == Approx(0.9 * 10 + 0.1 * 3));
    CHECK(running_variance.item() == Approx(0.9 * 2 + 0.1 * 14 / 3));
}

TEST_CASE("batch_norm in evaluation uses the running statistics and leaves them alone") {
    const Tensor x = Tensor::from<float>({1, 5}, {2, 1});
    const Tensor running_mean = Tensor::full({1}, 3), running_variance = Tensor::full({1}, 4);
    const Tensor y = batch_norm(x, Tensor::full({1}, 10), Tensor::full({1}, 1), running_mean, running_variance,
                                {.epsilon = 0, .training = false});
    CHECK(y.to_vector<double>()[0] == Approx(-9));
    CHECK(y.to_vector<double>()[1] == Approx(11));
    CHECK(running_mean.item() == 3);
    CHECK(running_variance.item() == 4);
}

TEST_CASE("batch_norm with relu is batch_norm, then relu") {
    RandomInputs random(83);
    const NormInputs in = inputs_for(random, {3, 5, 4, 3}, {.activation = Activation::relu});
    for (const bool training : {true, false}) {
        const Tensor fused = batch_norm_of(in.mean, in.variance,
                                           {.training = training, .activation = Activation::relu})(in.differentiable());
        const Tensor apart = relu(batch_norm_of(in.mean, in.variance, {.training = training})(in.differentiable()));
        CHECK(differences(fused.to_vector<double>(), apart.to_vector<double>()) == "");
    }
}

TEST_CASE("batch_norm with a residual is batch_norm, then the sum, then relu") {
    RandomInputs random(84);
    const NormInputs in = inputs_for(random, {3, 5, 4, 3}, {.activation = Activation::relu}, Residual::present);
    for (const bool training : {true, false}) {
        INFO((training ? "training" : "evaluation"));
        const Tensor sum =
            batch_norm_of(in.mean, in.variance, {.training = training})({in.x, in.scale, in.shift}) + in.residual;
        const auto with_residual = [&](bool clamped) {
            return batch_norm_of(in.mean, in.variance,
                                 {.training = training, .activation = clamped ? Activation::relu : Activation::none})(
                in.differentiable());
        };
        CHECK(relative_difference(with_residual(false), sum) < 1e-15);
        CHECK(relative_difference(with_residual(true), relu(sum)) < 1e-15);
    }
}

TEST_CASE("batch_norm whose residual is its own input gives both gradients to it") {
    RandomInputs random(85);
    const NormInputs in = inputs_for(random, {2, 3, 4, 4}, {});
    CHECK(gradient_problem(
              [&](const std::vector<Tensor>& leaves) {
                  return batch_norm_of(in.mean, in.variance, {})({leaves[0], in.scale, in.shift, leaves[0]});
              },
              {in.x}) == "");
}

TEST_CASE("batch_norm in bfloat16 agrees with float32 and keeps its vectors in float32") {
    RandomInputs random(86);
    for (const Shape& shape : {Shape{2, 3, 5, 4}, Shape{4, 16, 3, 3}, Shape{6, 70, 1, 1}, Shape{9, 7}}) {
        for (const bool training : {true, false}) {
            for (const bool clamped : {true, false}) {
                INFO(shape.str() << (training ? ", training" : ", evaluation") << (clamped ? ", relu" : ""));
                const BatchNormOptions options{.training = training,
                                               .activation = clamped ? Activation::relu : Activation::none};
                const NormInputs in = inputs_for(random, shape, options, Residual::present);
                const auto run = [&](DType dtype) {
                    const auto activations = [&](const Tensor& x) {
                        return x.to(DType::bfloat16).to(dtype).clone().set_requires_grad();
                    };
                    const auto vector = [](const Tensor& x) { return x.to(DType::float32).set_requires_grad(); };
                    const Tensor x = activations(in.x), residual = activations(in.residual);
                    const Tensor scale = vector(in.scale), shift = vector(in.shift);
                    const Tensor mean = in.mean.to(DType::float32), variance = in.variance.to(DType::float32);
                    const Tensor y = batch_norm(x, scale, shift, mean, variance, options, residual);
                    CHECK(y.dtype() == dtype);
                    backward(y, RandomInputs(87).tensor(shape, -1, 1, DType::float32).to(dtype));
                    return std::vector<Tensor>{y.detach(), x.grad(), scale.grad(),   shift.grad(),
                                               mean,       variance, residual.grad()};
                };
                const auto rounded = run(DType::bfloat16), exact = run(DType::float32);
                for (std::size_t i = 2; i < 6; ++i) CHECK(rounded[i].dtype() == DType::float32);
                for (std::size_t i = 0; i < exact.size(); ++i) CHECK(relative_difference(rounded[i], exact[i]) < 2e-2);
            }
        }
    }
}

TEST_CASE("batch_norm on what does not fit says what it is") {
    const Tensor x = Tensor::zeros({2, 3, 4, 4}), three = Tensor::zeros({3}), four = Tensor::zeros({4});
    CHECK(error_of([&] { batch_norm(x, four, three, three, three); }) ==
          "batch_norm: scale is [4], input has 3 channels");
    CHECK(error_of([&] { batch_norm(x, three, four, three, three); }) ==
          "batch_norm: shift is [4], input has 3 channels");
    CHECK(error_of([&] { batch_norm(x, three, three, four, three); }) ==
          "batch_norm: running mean is [4], input has 3 channels");
    CHECK(error_of([&] { batch_norm(x, three, three, three, four); }) ==
          "batch_norm: running variance is [4], input has 3 channels");
    const Tensor none = Tensor::zeros({0});
    CHECK(error_of([&] {
              batch_norm(Tensor::zeros({2, 0}), none, none, none, none);
          }) == "batch_norm: input [2, 0] has no channels");
    CHECK(error_of([&] { batch_norm(three, three, three, three, three); }) ==
          "batch_norm: input is [3], expected [N, C, H, W] or [N, C]");
    CHECK(error_of([&] {
              batch_norm(Tensor::zeros({1, 3, 1, 1}), three, three, three, three);
          }) == "batch_norm: input [1, 3, 1, 1] has a single value a channel, too few to train on");
    CHECK(error_of([&] { batch_norm(x, three, three, three, three.to(DType::float64)); }) ==
          "batch_norm: running variance is float64[3], expected float32");
    CHECK(error_of([&] {
              batch_norm(x, three, three, three, three, {}, Tensor::zeros({2, 3, 4, 1}));
          }) == "batch_norm: residual is [2, 3, 4, 1], input is [2, 3, 4, 4]");
    CHECK(error_of([&] { batch_norm(x, three, three, three, three, {}, x.to(DType::float64)); }) ==
          "batch_norm: residual is float64[2, 3, 4, 4], expected float32");
    CHECK(error_of([&] { batch_norm(x.to(DType::bfloat16), three.to(DType::bfloat16), three, three, three); }) ==
          "batch_norm: scale is bfloat16[3], expected float32");
}
