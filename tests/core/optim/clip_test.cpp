// Tests of gradient clipping: norms, scaling, messages.
#include "radial/core/optim/clip.h"
#include "../../expect.h"
#include "radial/core/backend/backend.h"
#include "radial/core/tensor/random.h"

#include <cmath>
#include <cstdint>
#include <vector>

namespace radial::test {
namespace {

Tensor vector_of(const std::vector<double>& values, DType dtype = DType::float64) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(dtype);
}

/// Two parameters with the gradients [3, 0] in float32 and [0, 4] in float64; the norm of both together is 5.
std::vector<Tensor> three_four_five() {
    const Tensor a = Tensor::zeros({2}), b = Tensor::zeros({2}, DType::float64);
    a.set_grad(vector_of({3, 0}, DType::float32));
    b.set_grad(vector_of({0, 4}));
    return {a, b, Tensor::zeros({7})};
}

}  // namespace

TEST_CASE("The gradient norm is taken over all parameters together") {
    CHECK(gradient_norm(three_four_five()) == 5.0);
    CHECK(gradient_norm({}) == 0.0);
}

TEST_CASE("Clipping scales gradients above the norm, as PyTorch") {
    const auto parameters = three_four_five();
    CHECK(clip_gradient_norm(parameters, 1.0) == 5.0);
    CHECK(parameters[0].grad().to_vector<double>()[0] == Approx(3 / (5 + 1e-6)).epsilon(1e-7));
    CHECK(parameters[1].grad().to_vector<double>()[1] == Approx(4 / (5 + 1e-6)).epsilon(1e-14));
    CHECK(gradient_norm(parameters) <= 1.0);
    CHECK_FALSE(parameters[2].grad().defined());
}

TEST_CASE("Clipping leaves gradients at or below the norm untouched") {
    const auto parameters = three_four_five();
    const auto version = parameters[0].grad().version();
    CHECK(clip_gradient_norm(parameters, 5.0) == 5.0);
    CHECK(parameters[0].grad().version() == version);
    CHECK(parameters[1].grad().to_vector<double>() == std::vector<double>{0, 4});
}

TEST_CASE("Clipping refuses finite gradients whose joint norm overflows") {
    const Tensor a = Tensor::zeros({1}, DType::float64), b = Tensor::zeros({1}, DType::float64);
    a.set_grad(vector_of({1.2e154}));  // the square is just within the range of double
    b.set_grad(vector_of({1.2e154}));
    CHECK(error_of<NumericError>([&] { clip_gradient_norm({a, b}, 1.0); }) == "clip_gradient_norm: the norm is inf");
    CHECK(a.grad().item() == 1.2e154);
}

TEST_CASE("A gradient that two parameters share is scaled once") {
    const Tensor a = Tensor::zeros({1}), b = Tensor::zeros({1}), shared = vector_of({3}, DType::float32);
    a.set_grad(shared);
    b.set_grad(shared);
    const double norm = clip_gradient_norm({a, b}, 1.0);
    CHECK(norm == Approx(std::sqrt(18.0)));
    CHECK(shared.item() == Approx(3 / norm));
}

TEST_CASE("Float gradients whose squares overflow still have a norm") {
    const Tensor parameter = Tensor::zeros({2});
    parameter.set_grad(vector_of({3e30, 4e30}, DType::float32));
    CHECK(gradient_norm({parameter}) == Approx(5e30));
}

TEST_CASE("The gradient norm is the same with any number of threads") {
    Generator generator(1);
    const Tensor parameter = Tensor::zeros({100'003}), gradient = Tensor::empty({100'003});
    normal_(gradient, 0, 1, generator);
    parameter.set_grad(gradient);
    set_num_threads(1);
    const double one = gradient_norm({parameter});
    set_num_threads(3);
    const double three = gradient_norm({parameter});
    set_num_threads(0);
    CHECK(one == three);
}

TEST_CASE("Clipping names the first gradient that is not finite, and changes none") {
    const auto parameters = three_four_five();
    parameters[1].set_grad(vector_of({1, NAN}));
    CHECK(error_of<NumericError>([&] { clip_gradient_norm(parameters, 1.0); }) ==
          "clip_gradient_norm: the norm is nan; the gradient of parameter 1 (float64[2]) is the first that is not "
          "finite");
    CHECK(parameters[0].grad().to_vector<double>() == std::vector<double>{3, 0});
    parameters[1].set_grad(vector_of({-INFINITY, 0}));
    CHECK(error_of<NumericError>([&] { clip_gradient_norm(parameters, 1.0); }) ==
          "clip_gradient_norm: the norm is inf; the gradient of parameter 1 (float64[2]) is the first that is not "
          "finite");
}

TEST_CASE("Clipping refuses a norm that is not positive") {
    CHECK(error_of([] { clip_gradient_norm({}, 0); }) == "clip_gradient_norm: max_norm is 0, expected more than 0");
}

}  // namespace radial::test
