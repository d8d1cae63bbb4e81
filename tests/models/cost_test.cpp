// Tests of the cost of networks: each network of the registry, and layers counted by hand.
#include "radial/models/cost.h"
#include "../expect.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"

namespace radial::test {

TEST_CASE("layers are listed with what they cost", "[models][cost]") {
    Sequential net;
    net.add<Conv2d>(Conv2dOptions{.in_channels = 4, .out_channels = 6, .kernel = 3, .padding = 1, .groups = 2})
        .add<BatchNorm2d>(BatchNorm2dOptions{.channels = 6})
        .add<ReLU>()
        .add<Flatten>()
        .add<Linear>(LinearOptions{.in_features = 6 * 5 * 7, .out_features = 3, .bias = false});
    const std::vector<LayerCost> costs = layer_costs(net, {4, 5, 7});
    CHECK(net.training());
    std::vector<std::string> lines;
    for (const LayerCost& c : costs)
        if (c.op != "reshape")
            lines.push_back(fmt::format("{} '{}' {} {} {} {} {}", c.op, c.module, c.output.str(), c.parameters,
                                        c.multiply_adds, c.activations, c.products()));
    CHECK(lines == std::vector<std::string>{"conv2d '0' [1, 6, 5, 7] 114 3990 210 3780",
                                            "batch_norm '1' [1, 6, 5, 7] 12 0 0 0", "relu '' [1, 6, 5, 7] 0 0 0 0",
                                            "linear '4' [1, 3] 630 630 3 630"});
}

TEST_CASE("a network's cost has a linear classifier's in it", "[models][cost]") {
    Sequential net;
    net.add<Flatten>().add<Linear>(LinearOptions{.in_features = 12, .out_features = 5});
    const ModelCost cost = model_cost(net, {3, 2, 2}, 5, 7);
    CHECK(cost.parameters == 12 * 5 + 5 + 5 * 7 + 7);
    CHECK(cost.multiply_adds == 12 * 5 + 5 + 5 * 7 + 7);
    CHECK(cost.activations == 5 + 7);
}

TEST_CASE("counting does not change the numbers that are drawn next", "[models][cost]") {
    manual_seed(3);
    const std::uint64_t counter = default_generator().counter();
    model_cost(*find_model("lenetpp"), 2, 10, 28);
    CHECK(default_generator().counter() == counter);
}

TEST_CASE("an image that is none cannot be counted", "[models][cost]") {
    Sequential net;
    CHECK(error_of([&] { layer_costs(net, {3, 2}); }) == "layer_costs: image is [3, 2], expected [C, H, W]");
}

}  // namespace radial::test
