// Tests of MobileNetV3: scaling, initial weights, options, exact error messages.
#include "radial/models/mobilenet.h"

#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/models/registry.h"
#include "random_images.h"

#include <algorithm>
#include <cmath>

namespace radial::test {
namespace {

double mean_square(const Tensor& x) { return mean(square(x.detach().to(DType::float64))).item(); }

MobileNetV3Options small_mobilenet() {
    return {.rows = {{3, 8, 8, true, Activation::relu, 1}, {5, 96, 16, true, Activation::hard_swish, 2}},
            .stem_width = 8,
            .hidden = 64};
}

}  // namespace

TEST_CASE("a MobileNetV3 gives one feature an image", "[models]") {
    const NoGrad no_grad;
    CHECK(MobileNetV3(*mobilenet_options("mobilenet-v3-large")).forward(random_images({2, 3, 32, 32})).shape() ==
          Shape{2, 1280});
    CHECK(MobileNetV3(*mobilenet_options("mobilenet-v3-small")).forward(random_images({2, 3, 33, 20})).shape() ==
          Shape{2, 1024});
}

TEST_CASE("a MobileNetV3 is scaled in width to multiples of eight", "[models]") {
    MobileNetV3Options options = small_mobilenet();
    options.width = 0.7;
    const MobileNetV3 net(options);
    CHECK(net.feature_dim() == 48);  // 44.8, rounded
    CHECK(parameter(net, "features.0.0.weight").size(0) == 8);
    CHECK(parameter(net, "features.2.block.1.0.weight").shape() == Shape{64, 1, 5, 5});     // 67.2, rounded
    CHECK(parameter(net, "features.2.block.2.fc1.weight").shape() == Shape{16, 64, 1, 1});  // a quarter
    CHECK(parameter(net, "features.2.block.3.0.weight").shape() == Shape{16, 64, 1, 1});    // 11.2; 8 is over 10% less
    CHECK(parameter(net, "features.3.0.weight").shape() == Shape{96, 16, 1, 1});            // six times as many
}

TEST_CASE("a MobileNetV3 starts with filters of torchvision's deviations", "[models]") {
    MobileNetV3Options options = small_mobilenet();
    options.hidden = 512;
    const MobileNetV3 net(options);
    // The fan-out of a depthwise convolution is that of all groups together, as in torchvision.
    CHECK(mean_square(parameter(net, "features.2.block.1.0.weight")) == Approx(2.0 / (25 * 96)).epsilon(0.1));
    CHECK(mean_square(parameter(net, "features.2.block.2.fc2.weight")) == Approx(2.0 / 96).epsilon(0.1));
    CHECK(mean_square(parameter(net, "features.2.block.2.fc2.bias")) == 0);
    CHECK(mean_square(parameter(net, "classifier.0.weight")) == Approx(1e-4).epsilon(0.05));
    CHECK(mean_square(parameter(net, "classifier.0.bias")) == 0);
}

TEST_CASE("a MobileNetV3's options come through the registry", "[models]") {
    const ModelInfo& info = *find_model("mobilenet-v3-small");
    CHECK(info.defaults() ==
          ModelSettings{{"recompute", false}, {"dropout", 0}, {"norm-epsilon", 1e-3}, {"norm-momentum", 0.01}});
    const Tensor x = random_images({4, 3, 16, 16});
    const auto net = make_model(info, info.dim, {{"dropout", 0.5}});
    const NoGrad no_grad;
    const auto feature = net->forward(x).to_vector<float>();
    CHECK(std::count(feature.begin(), feature.end(), 0.0F) > 1500);  // about half of 4096
    net->eval();
    CHECK(net->forward(x).to_vector<float>() == net->forward(x).to_vector<float>());
}

TEST_CASE("every parameter of a MobileNetV3 gets a finite gradient", "[models]") {
    MobileNetV3 net(small_mobilenet());
    sum(square(net.forward(random_images({4, 3, 12, 10})))).backward();
    for (const auto& [name, tensor] : net.named_parameters()) {
        INFO(name);
        REQUIRE(tensor.grad().defined());
        for (const double g : tensor.grad().to_vector<double>()) REQUIRE(std::isfinite(g));
    }
}

TEST_CASE("a MobileNetV3 says what does not fit", "[models]") {
    CHECK(error_of([] { MobileNetV3({.rows = {}}); }) ==
          "MobileNetV3: 0 rows, stem_width 16, hidden 1280 and in_channels 3, expected each to be at least 1");
    const auto with = [](auto change) {
        MobileNetV3Options options = small_mobilenet();
        change(options);
        return error_of([&] { MobileNetV3{options}; });
    };
    CHECK(with([](auto& o) { o.rows[1].kernel = 0; }) ==
          "MobileNetV3: row 1 has kernel 0, expanded 96, channels 16 and stride 2, expected each to be at least 1");
    CHECK(with([](auto& o) { o.width = 0; }) == "MobileNetV3: width is 0, expected above 0");
    CHECK(with([](auto& o) { o.dropout = 1; }) == "MobileNetV3: dropout is 1, expected at least 0 and below 1");
    CHECK(error_of([] {
              MobileNetV3(small_mobilenet()).forward(Tensor::zeros({2, 1, 8, 8}));
          }) == "MobileNetV3: input has shape [2, 1, 8, 8], expected [N, 3, H, W]");
    CHECK_FALSE(mobilenet_options("mobilenet-v2").has_value());
}

}  // namespace radial::test
