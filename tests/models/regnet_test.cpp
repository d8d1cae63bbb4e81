// Tests of RegNet: the rule for widths and depths, initial weights, options, exact error messages.
#include "radial/models/regnet.h"

#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/models/registry.h"
#include "random_images.h"

#include <cmath>

namespace radial::test {
namespace {

double mean_square(const Tensor& x) { return mean(square(x.detach().to(DType::float64))).item(); }

RegNetOptions small_regnet() {
    return {.depth = 2, .initial = 8, .slope = 8, .step = 2, .group_width = 4, .squeeze_ratio = 0.25, .stem_width = 8};
}

std::string stages_of(const RegNetOptions& options) {
    std::string text;
    for (const RegNetStage& stage : options.stages())
        text += fmt::format("{}x{}/{} ", stage.depth, stage.width, stage.group_width);
    return text;
}

}  // namespace

TEST_CASE("a RegNet's stages are those of the paper's tables", "[models]") {
    CHECK(stages_of(*regnet_options("regnet-x-400mf")) == "1x32/16 2x64/16 7x160/16 12x400/16 ");
    CHECK(stages_of(*regnet_options("regnet-x-3-2gf")) == "2x96/48 6x192/48 15x432/48 2x1008/48 ");
    CHECK(stages_of(*regnet_options("regnet-x-32gf")) == "2x336/168 7x672/168 13x1344/168 1x2520/168 ");
    CHECK(stages_of(*regnet_options("regnet-y-400mf")) == "1x48/8 3x104/8 6x208/8 6x440/8 ");
    CHECK(stages_of(*regnet_options("regnet-y-8gf")) == "2x224/56 4x448/56 10x896/56 1x2016/56 ");
    CHECK(stages_of(*regnet_options("regnet-y-32gf")) == "2x232/232 5x696/232 12x1392/232 1x3712/232 ");
}

TEST_CASE("a RegNet's widths follow a line in whole steps", "[models]") {
    // u = 8, 14, 20, 26, 32: u / 8 is 2 to the powers 0, 0.81, 1.32, 1.7 and 2, which are rounded to 0, 1, 1, 2 and 2.
    RegNetOptions options{.depth = 5, .initial = 8, .slope = 6, .step = 2, .group_width = 8};
    CHECK(stages_of(options) == "1x8/8 2x16/8 2x32/8 ");
    options.slope = 0;
    CHECK(stages_of(options) == "5x8/8 ");
    // Groups are at most as wide as the stage. A width is rounded to a multiple of the group width, upwards if it would
    // otherwise be reduced by more than 10%.
    options.slope = 6;
    options.group_width = 12;
    CHECK(stages_of(options) == "1x8/8 2x24/12 2x36/12 ");
    options.group_width = 6;
    CHECK(stages_of(options) == "1x12/6 2x18/6 2x30/6 ");
}

TEST_CASE("a RegNet gives one feature an image", "[models]") {
    const NoGrad no_grad;
    CHECK(RegNet(*regnet_options("regnet-y-400mf")).forward(random_images({2, 3, 32, 32})).shape() == Shape{2, 440});
    CHECK(RegNet(small_regnet()).forward(random_images({1, 3, 7, 13})).shape() == Shape{1, 16});
    CHECK(RegNet({.in_channels = 1}).forward(Tensor::zeros({2, 1, 9, 9})).shape() == Shape{2, 400});
}

TEST_CASE("a RegNet starts with filters of torchvision's deviations", "[models]") {
    RegNetOptions options = small_regnet();
    options.initial = 96;
    options.group_width = 24;
    const RegNet net(options);
    const std::string block = "trunk_output.block1.block1-0.f.";
    // torchvision does not divide the fan-out by the number of groups.
    CHECK(mean_square(parameter(net, block + "b.0.weight")) == Approx(2.0 / (9 * 96)).epsilon(0.03));
    CHECK(mean_square(parameter(net, block + "a.0.weight")) == Approx(2.0 / 96).epsilon(0.15));
    CHECK(mean_square(parameter(net, block + "se.fc2.weight")) == Approx(2.0 / 96).epsilon(0.3));
    // The biases are uniform in +-1 / sqrt(fan_in), with a fan-in of 2 channels, a quarter of the block's input.
    const auto biases = parameter(net, block + "se.fc2.bias").to_vector<double>();
    CHECK(biases.size() == 96);
    for (const double bias : biases) CHECK(std::abs(bias) <= 1 / std::sqrt(2.0) + 1e-6);
    CHECK(mean_square(parameter(net, block + "se.fc2.bias")) == Approx(0.5 / 3).epsilon(0.4));
    CHECK(mean_square(parameter(net, block + "c.1.weight")) == 1);
}

TEST_CASE("a RegNet's blocks can start as their shortcuts", "[models]") {
    const auto net = make_model(*find_model("regnet-x-400mf"), 400, {{"zero-init-residual", true}});
    CHECK(mean_square(parameter(*net, "trunk_output.block4.block4-11.f.c.1.weight")) == 0);
    CHECK(mean_square(parameter(*net, "trunk_output.block4.block4-11.f.b.1.weight")) == 1);
    CHECK(find_model("regnet-x-400mf")->defaults() ==
          ModelSettings{{"recompute", false}, {"zero-init-residual", false}});
}

TEST_CASE("every parameter of a RegNet gets a finite gradient", "[models]") {
    RegNet net(small_regnet());
    sum(square(net.forward(random_images({4, 3, 12, 10})))).backward();
    for (const auto& [name, tensor] : net.named_parameters()) {
        INFO(name);
        REQUIRE(tensor.grad().defined());
        for (const double g : tensor.grad().to_vector<double>()) REQUIRE(std::isfinite(g));
    }
}

TEST_CASE("a RegNet says what does not fit", "[models]") {
    CHECK(error_of([] { RegNet({.depth = 0}); }) ==
          "RegNet: depth 0, group_width 16, stem_width 32 and in_channels 3 must each be at least 1");
    CHECK(error_of([] { RegNet({.initial = 12}); }) == "RegNet: initial width is 12, expected a multiple of 8 above 0");
    CHECK(error_of([] { RegNet({.initial = 0}); }) == "RegNet: initial width is 0, expected a multiple of 8 above 0");
    CHECK(error_of([] { RegNet({.step = 1}); }) == "RegNet: slope 24.48 and step 1, expected at least 0 and above 1");
    CHECK(error_of([] { RegNet({.slope = NAN}); }) ==
          "RegNet: slope nan and step 2.54, expected at least 0 and above 1");
    CHECK(error_of([] { RegNet({.squeeze_ratio = -1}); }) == "RegNet: squeeze_ratio is -1, expected at least 0");
    CHECK(error_of([] {
              RegNet(small_regnet()).forward(Tensor::zeros({2, 1, 8, 8}));
          }) == "RegNet: input has shape [2, 1, 8, 8], expected [N, 3, H, W]");
    CHECK(error_of([] { RegNet(small_regnet()).forward({}); }) == "RegNet: input is undefined, expected [N, 3, H, W]");
    CHECK_FALSE(regnet_options("regnet-y-128gf").has_value());
}

}  // namespace radial::test
