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
        const ObserveOps observer([&](const OpCall& call) {
            const auto& [op, inputs, output, attributes] = call;
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
    const ObserveOps first([&](const OpCall&) { ++outer; });
    {
        const ObserveOps second([&](const OpCall&) { ++inner; });
        relu(x);
    }
    relu(x);
    CHECK(outer == 1);
    CHECK(inner == 1);
}

TEST_CASE("a watcher reads the numbers of an op by name", "[core][observe]") {
    std::map<std::string, double> seen;
    const ObserveOps observer([&](const OpCall& call) {
        for (const OpAttribute& each : call.attributes) seen.emplace(each.name, call.attribute(each.name));
        CHECK_THROWS_WITH(call.attribute("stride"), fmt::format("{}: the op has no attribute stride", call.op));
    });
    const Tensor x = Tensor::zeros({1, 2, 5, 5}), weight = Tensor::zeros({4, 1, 3, 3});
    conv2d(x, weight, {}, {.stride_h = 2, .pad_w = 1, .groups = 2});
    CHECK(seen == std::map<std::string, double>{{"stride_h", 2},
                                                {"stride_w", 1},
                                                {"pad_h", 0},
                                                {"pad_w", 1},
                                                {"dilation_h", 1},
                                                {"dilation_w", 1},
                                                {"groups", 2}});
    seen.clear();
    sum(x, {1, 3}, true);
    CHECK(seen == std::map<std::string, double>{{"dims", 0b1010}, {"keep_dims", 1}});
}

}  // namespace radial::test
