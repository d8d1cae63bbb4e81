// ReLU and PReLU over their input's memory: when they do it, and that the gradients are those of a run that does not.
#include "../../expect.h"
#include "radial/core/ops.h"
#include "../random_inputs.h"

using namespace radial;
using namespace radial::test;

namespace {

// d(sum(weights * prelu(x * 1, slope))), with x * 1 a temporary that prelu may overwrite, or one that is still held.
std::pair<Tensor, Tensor> gradients(const Tensor& values, const Tensor& slopes, bool keep_input) {
    Tensor x = values.clone(), slope = slopes.clone();
    x.set_requires_grad();
    slope.set_requires_grad();
    Tensor input = x * 1.0;
    const void* const memory = input.raw();
    const Tensor held = keep_input ? input : Tensor();
    const Tensor y = prelu(std::move(input), slope);
    // A device's slopes are not looked at, so it never overwrites.
    const bool invertible = slope.to_vector<double>()[0] > 0 && y.device() == Device{};
    CHECK((y.raw() == memory) == (!keep_input && invertible));
    sum(y * square(y)).backward();
    return {x.grad(), slope.grad()};
}

}  // namespace

TEST_CASE("prelu over its input's memory gives the gradients of prelu beside it") {
    RandomInputs random(7);
    for (const Shape& shape : {Shape{3, 5}, Shape{2, 3, 5, 7}}) {
        const Tensor x = random.away_from_zero(shape);
        for (const double slope : {0.25, 1.5}) {
            const Tensor slopes = Tensor::full({shape[1]}, slope, DType::float64);
            const auto [dx, dslope] = gradients(x, slopes, false);
            const auto [expected_dx, expected_dslope] = gradients(x, slopes, true);
            CHECK(relative_difference(dx, expected_dx) < 1e-14);
            CHECK(relative_difference(dslope, expected_dslope) < 1e-14);
        }
    }
}

TEST_CASE("prelu with a slope that is not positive leaves its input alone") {
    RandomInputs random(8);
    const Tensor x = random.away_from_zero({4, 3});
    for (const double slope : {0.0, -0.5}) {
        const Tensor slopes = Tensor::full({3}, slope, DType::float64);
        const auto [dx, dslope] = gradients(x, slopes, false);
        const auto [expected_dx, expected_dslope] = gradients(x, slopes, true);
        CHECK(relative_difference(dx, expected_dx) == 0);
        CHECK(relative_difference(dslope, expected_dslope) == 0);
    }
}

TEST_CASE("prelu does not overwrite what another op keeps for backward") {
    Tensor x = Tensor::from(std::vector<double>{-1, 2, -3, 4}, {2, 2});
    x.set_requires_grad();
    const Tensor slope = Tensor::full({2}, 0.5, DType::float64);
    const Tensor y = prelu(exp(x), slope);  // exp keeps its result
    sum(y).backward();
    CHECK(relative_difference(x.grad(), exp(x.detach())) < 1e-15);
}

TEST_CASE("prelu does not overwrite a leaf that is trained") {
    Tensor x = Tensor::from(std::vector<double>{-1, 2}, {1, 2});
    x.set_requires_grad();
    const void* const memory = x.raw();
    const Tensor y = prelu(std::move(x), Tensor::full({1}, 0.5, DType::float64));
    CHECK(y.raw() != memory);
}
