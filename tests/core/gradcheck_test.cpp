// Tests of the gradient check: it accepts a correct gradient and reports each kind of wrong gradient.
#include "gradcheck.h"

using namespace radial;
using namespace radial::test;

namespace {

/// x^3 as an op whose gradient is backward(dy, x).
TensorFunction cube(std::function<Tensor(const Tensor& dy, const Tensor& x)> backward) {
    return [backward](const std::vector<Tensor>& in) {
        const Tensor x = in[0].detach();
        return record("cube", x * x * x, {in[0]}, [=](const Tensor& dy, Needs) { return Grads{backward(dy, x)}; });
    };
}

std::vector<Tensor> inputs() {
    RandomInputs random(7);
    return {random.tensor({1, 3, 4, 5}, 0.5, 2)};
}

bool names(const std::string& problem, std::string_view what) { return problem.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("the gradient check accepts a right gradient") {
    CHECK(gradient_problem(cube([](const Tensor& dy, const Tensor& x) { return dy * x * x * 3.0; }), inputs()) == "");
}

TEST_CASE("the gradient check sees an error of two in a million") {
    const auto f = cube([](const Tensor& dy, const Tensor& x) { return dy * x * x * 3.000006; });
    CHECK(names(gradient_problem(f, inputs()), "relative error 2.0"));
}

TEST_CASE("the gradient check sees a gradient that is wrong at elements it did not try one by one") {
    const auto f = cube([](const Tensor& dy, const Tensor& x) {
        Tensor dx = dy * x * x * 3.0;
        auto values = dx.to_vector<double>();
        values[17] += 0.01;
        return Tensor::from(values, dx.shape());
    });
    CHECK(names(gradient_problem(f, inputs(), {.elements = 1}), "along a direction"));
}

TEST_CASE("the gradient check sees a gradient that depends on the layout of what comes in") {
    const auto f = cube([](const Tensor& dy, const Tensor& x) {
        Tensor dx = dy.to(Layout::row_major) * x * x * 3.0;
        return dy.layout() == Layout::channels_last ? dx * 2.0 : dx;
    });
    CHECK(names(gradient_problem(f, inputs()), "row_major inputs, channels_last gradient"));
}

TEST_CASE("the gradient check sees an input that was changed") {
    const TensorFunction f = [](const std::vector<Tensor>& in) {
        const Tensor y = square(in[0]);
        if (in[0].requires_grad()) in[0].detach().copy_(in[0].detach());  // writes the same values
        return y + 0.0 * in[0].clone();
    };
    CHECK_THROWS_AS(gradient_problem(f, inputs()), Error);  // the input that square saved is stale
    const TensorFunction g = [](const std::vector<Tensor>& in) {
        if (in[0].requires_grad()) in[0].detach().fill_(1);
        return in[0] * 2.0;
    };
    CHECK(names(gradient_problem(g, inputs()), "input 0 was changed"));
}

TEST_CASE("the gradient check sees an input that gets no gradient") {
    const TensorFunction f = [](const std::vector<Tensor>& in) { return in[0] * in[1].detach(); };
    RandomInputs random(8);
    CHECK(names(gradient_problem(f, {random.tensor({3}), random.tensor({3})}), "input 1 lacks a gradient"));
}
