// Compares the losses for float targets with PyTorch's values, and tests their gradients and shapes.
#include "radial/losses/elementwise.h"

#include "../core/gradcheck.h"
#include "../expect.h"

namespace radial::test {
namespace {

Tensor outputs(DType dtype) { return Tensor::from(std::vector<double>{0.5, -2, 300, -300, 1e-3, 4}, {3, 2}).to(dtype); }
Tensor targets() { return Tensor::from(std::vector<double>{1, 0.25, 0, 1, 0.5, 1}, {3, 2}); }

void check_loss(Loss& loss, double value, const std::vector<double>& gradient, DType dtype, double tolerance) {
    const Tensor y = outputs(dtype).set_requires_grad();
    const Tensor computed = loss.forward(y, targets());
    computed.backward();
    CHECK(computed.item() == Approx(value).epsilon(tolerance));
    const std::vector<double> found = y.grad().to(DType::float64).to_vector<double>();
    for (std::size_t i = 0; i < gradient.size(); ++i)
        CHECK(found[i] == Approx(gradient[i]).epsilon(tolerance).margin(tolerance * 1e-3));
}

template <class L>
void check_against(double value, const std::vector<double>& gradient, DType dtype, double tolerance) {
    L loss;
    check_loss(loss, value, gradient, dtype, tolerance);
}

}  // namespace

TEST_CASE("mean squared error and its gradient are PyTorch's") {
    const std::vector<double> gradient{-0.16666666666666666, -0.75, 100.0, -100.33333333333333,
                                       -0.16633333333333333, 1.0};
    check_against<MeanSquaredError>(30102.593583500002, gradient, DType::float64, 1e-12);
    check_against<MeanSquaredError>(30102.593583500002, gradient, DType::float32, 1e-6);
}

TEST_CASE("binary cross-entropy and its gradient are PyTorch's, also where a logit is 300") {
    const std::vector<double> gradient{-0.0629234447996909,  -0.021799512996313743, 0.16666666666666666,
                                       -0.16666666666666666, 4.166666319443957e-05, -0.0029977016603485915};
    check_against<BinaryCrossEntropy>(100.30205037145015, gradient, DType::float64, 1e-12);
    check_against<BinaryCrossEntropy>(100.30205037145015, gradient, DType::float32, 1e-6);
}

TEST_CASE("mean absolute error and its gradient are PyTorch's") {
    const double sixth = 1.0 / 6;
    const std::vector<double> gradient{-sixth, -sixth, sixth, -sixth, -sixth, sixth};
    check_against<MeanAbsoluteError>(101.20816666666667, gradient, DType::float64, 1e-12);
    check_against<MeanAbsoluteError>(101.20816666666667, gradient, DType::float32, 1e-6);
}

TEST_CASE("the mean absolute error of a perfect prediction has no gradient") {
    const Tensor y = Tensor::from(std::vector<float>{1, 2}, {2, 1}).set_requires_grad();
    const Tensor loss = MeanAbsoluteError().forward(y, Tensor::from(std::vector<float>{1, 3}, {2}));
    loss.backward();
    CHECK(y.grad().to_vector<float>() == std::vector<float>{0, -0.5F});
}

TEST_CASE("smooth L1 and its gradient are PyTorch's, for each beta") {
    const double sixth = 1.0 / 6;
    SmoothL1 plain, wide({.beta = 2.5});
    check_loss(plain, 100.74991675000001, {-0.08333333333333333, -sixth, sixth, -sixth, -0.08316666666666667, sixth},
               DType::float64, 1e-12);
    for (const auto& [dtype, tolerance] : {std::pair{DType::float64, 1e-12}, std::pair{DType::float32, 1e-6}})
        check_loss(wide, 100.22705003333333, {-0.03333333333333333, -0.15, sixth, -sixth, -0.03326666666666667, sixth},
                   dtype, tolerance);
    CHECK(error_of([] { SmoothL1({.beta = 0}); }) == "SmoothL1: beta is 0, expected above 0");
}

TEST_CASE("gradients of losses with float targets agree with finite differences") {
    const Tensor y = Tensor::from(std::vector<double>{0.5, -2, 1.5, -0.3, 0.7, 4}, {3, 2});
    CHECK(gradient_problem([](const std::vector<Tensor>& x) { return MeanSquaredError().forward(x[0], targets()); },
                           {y}) == "");
    CHECK(gradient_problem([](const std::vector<Tensor>& x) { return BinaryCrossEntropy().forward(x[0], targets()); },
                           {y}) == "");
    CHECK(gradient_problem([](const std::vector<Tensor>& x) { return MeanAbsoluteError().forward(x[0], targets()); },
                           {y}) == "");
    CHECK(gradient_problem([](const std::vector<Tensor>& x) { return SmoothL1().forward(x[0], targets()); }, {y}) ==
          "");
}

TEST_CASE("one output a sample takes targets without a second dimension") {
    const Tensor y = Tensor::from(std::vector<float>{1, 2, 4}, {3, 1}),
                 t = Tensor::from(std::vector<float>{1, 1, 1}, {3});
    CHECK(MeanSquaredError().forward(y, t).item() == Approx(10.0 / 3));
}

TEST_CASE("targets of another shape are refused") {
    CHECK(error_of([] {
              MeanSquaredError().forward(Tensor::zeros({3, 2}), Tensor::zeros({2, 3}));
          }) == "MeanSquaredError: the output is float32[3, 2], targets are float32[2, 3], expected one shape");
    CHECK(error_of([] {
              BinaryCrossEntropy().forward(Tensor::zeros({3, 2}), Tensor::zeros({3}));
          }) == "BinaryCrossEntropy: the output is float32[3, 2], targets are float32[3], expected one shape");
}

}  // namespace radial::test
