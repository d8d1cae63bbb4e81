// Tests of op observers: the ops that they see, and when.
#include "../../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"

namespace radial::test {

TEST_CASE("a watcher is told every op with its inputs and its result, on the tape or off it", "[core][observe]") {
    const Tensor x = Tensor::full({2, 3}, 1).set_requires_grad(), weight = Tensor::full({4, 3}, 2);
    std::vector<std::string> told;
    const auto run = [&] {
        const Tensor y = relu(linear(x, weight));
        return y;
    };
    {
        const ObserveOps observer([&](std::string_view op, std::span<const Tensor> inputs, const Tensor& output) {
            told.push_back(fmt::format("{} {} {}", op, inputs.size(), output.shape().str()));
            if (op == "linear") {
                CHECK(inputs[0].impl() == x.impl());
                CHECK(inputs[1].impl() == weight.impl());
                CHECK_FALSE(inputs[2].defined());
            }
        });
        CHECK(ops_observed());
        run();
        const NoGrad no_grad;
        run();
    }
    CHECK(told == std::vector<std::string>{"linear 3 [2, 4]", "relu 1 [2, 4]", "linear 3 [2, 4]", "relu 1 [2, 4]"});
    CHECK_FALSE(ops_observed());
    run();
    CHECK(told.size() == 4);
}

TEST_CASE("a watcher takes the place of another until it ends", "[core][observe]") {
    int outer = 0, inner = 0;
    const Tensor x = Tensor::zeros({1});
    const ObserveOps first([&](std::string_view, std::span<const Tensor>, const Tensor&) { ++outer; });
    {
        const ObserveOps second([&](std::string_view, std::span<const Tensor>, const Tensor&) { ++inner; });
        relu(x);
    }
    relu(x);
    CHECK(outer == 1);
    CHECK(inner == 1);
}

}  // namespace radial::test
