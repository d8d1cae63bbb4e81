// Tests of EfficientNet: drop-connect, scaling.
#include "radial/models/efficientnet.h"
#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/tensor/random.h"
#include "radial/models/registry.h"
#include "random_images.h"

#include <algorithm>

namespace radial::test {
namespace {

EfficientNetOptions small_efficientnet() {
    return {.dropout = 0.5, .drop_connect = 0.9, .stem_width = 8, .head_width = 64, .stages = {{3, 1, 2, 8, 4}}};
}

}  // namespace

TEST_CASE("drop-connect grows from the first block to the last", "[models]") {
    // There is one scaling op for each block that has a shortcut and a rate above 0. The rate of the first block is 0.
    EfficientNetOptions options = small_efficientnet();
    EfficientNet net(options);
    std::vector<double> dropped;
    {
        const ObserveOps observer([&](const OpCall& call) {
            if (call.op != "scale_channels" || call.inputs[1].size(1) != 1) return;
            const auto scales = call.inputs[1].to_vector<double>();
            dropped.push_back(static_cast<double>(std::count(scales.begin(), scales.end(), 0.0)) / 2000);
        });
        net.forward(random_images({2000, 3, 2, 2}));
    }
    REQUIRE(dropped.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(dropped[i] == Approx(0.9 * static_cast<double>(i + 1) / 4).margin(0.05));
}

TEST_CASE("an EfficientNet is scaled to multiples of eight and whole blocks", "[models]") {
    const EfficientNet net({.width = 1.2, .depth = 1.4, .stages = {{3, 1, 1, 16, 1}, {3, 2, 6, 24, 2}}});
    CHECK(net.feature_dim() == 1536);
    CHECK(parameter(net, "conv_stem.weight").size(0) == 40);  // 38.4, rounded to a multiple of 8
    CHECK(parameter(net, "blocks.0.1.conv_pw.weight").size(0) ==
          24);  // 16 is nearer to 19.2, but more than 10% below it
    CHECK(parameter(net, "blocks.1.2.conv_pwl.weight").size(0) == 32);
    CHECK_FALSE(parameter(net, "blocks.0.2.conv_pw.weight").defined());
    CHECK_FALSE(parameter(net, "blocks.1.3.conv_pw.weight").defined());
}

}  // namespace radial::test
