// Tests of VGG, DenseNet and EfficientNet: shapes, initial weights, options, exact error messages.
#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/tensor/random.h"
#include "radial/models/densenet.h"
#include "radial/models/efficientnet.h"
#include "radial/models/inverted_residual.h"
#include "radial/models/registry.h"
#include "radial/models/vgg.h"
#include "random_images.h"

#include <algorithm>
#include <cmath>

namespace radial::test {
namespace {

double mean_square(const Tensor& x) {
    double total = 0;
    for (const double v : x.to_vector<double>()) total += v * v;
    return total / static_cast<double>(x.numel());
}

/// Options of small networks, one per family, that enable every optional part.
VggOptions small_vgg() { return {.depths = {1}, .widths = {4}, .hidden = 64, .dropout = 0.5}; }
DenseNetOptions small_densenet() {
    return {.depths = {2, 2}, .growth = 4, .stem_width = 8, .stem = DenseNetOptions::Stem::small, .dropout = 0.3};
}
EfficientNetOptions small_efficientnet() {
    return {.dropout = 0.5, .drop_connect = 0.9, .stem_width = 8, .head_width = 64, .stages = {{3, 1, 2, 8, 4}}};
}

/// Whether two passes over the same images give different results.
bool is_random(Layer& net, const Tensor& x) {
    return net.forward(x).to_vector<float>() != net.forward(x).to_vector<float>();
}

}  // namespace

TEST_CASE("the small networks of each family give one feature an image", "[models]") {
    const NoGrad no_grad;
    CHECK(Vgg(*vgg_options("vgg11-cifar")).forward(random_images({2, 3, 32, 32})).shape() == Shape{2, 512});
    CHECK(Vgg(*vgg_options("vgg11-cifar")).forward(random_images({1, 3, 64, 64})).shape() == Shape{1, 512});
    CHECK(Vgg(small_vgg()).forward(random_images({2, 3, 14, 28})).shape() == Shape{2, 64});
    CHECK(DenseNet(*densenet_options("densenet-bc-100-12")).forward(random_images({1, 3, 32, 32})).shape() ==
          Shape{1, 342});
    CHECK(DenseNet(*densenet_options("densenet121")).forward(random_images({1, 3, 64, 64})).shape() == Shape{1, 1024});
    CHECK(EfficientNet(*efficientnet_options("efficientnet-b0")).forward(random_images({1, 3, 64, 64})).shape() ==
          Shape{1, 1280});
}

TEST_CASE("dropout and drop-connect act in training alone, and are off by default", "[models]") {
    const Tensor x = random_images({8, 3, 14, 14});
    Vgg vgg(small_vgg());
    DenseNet densenet(small_densenet());
    EfficientNet efficientnet(small_efficientnet());
    for (Layer* net : std::vector<Layer*>{&vgg, &densenet, &efficientnet}) {
        CHECK(is_random(*net, x));
        net->eval();
        CHECK_FALSE(is_random(*net, x));
    }
    for (const char* name : {"vgg11", "vgg16-bn", "densenet121", "densenet-40-12", "efficientnet-b4"})
        for (const auto& [option, value] : find_model(name)->defaults())
            CHECK((option.starts_with("norm-") || value.number() == 0));
    EfficientNetOptions without = small_efficientnet();
    without.dropout = without.drop_connect = 0;
    EfficientNet plain(without);
    CHECK_FALSE(is_random(plain, x));
}

TEST_CASE("a network's options come through the registry", "[models]") {
    CHECK(
        find_model("efficientnet-b0")->defaults() ==
        ModelSettings{
            {"recompute", false}, {"dropout", 0}, {"drop-connect", 0}, {"norm-epsilon", 1e-5}, {"norm-momentum", 0.1}});
    const auto net = make_model(*find_model("densenet-bc-100-12"), 342, {{"dropout", 0.5}});
    CHECK(is_random(*net, random_images({1, 3, 8, 8})));
    CHECK(error_of([] {
              make_model(*find_model("efficientnet-b0"), 1280, {{"drop_conect", 0.2}});
          }) ==
          "efficientnet-b0 has no option \"drop_conect\"; did you mean drop-connect? Its options are "
          "dropout, drop-connect, norm-epsilon, norm-momentum, recompute");
    CHECK(error_of([] {
              make_model(*find_model("densenet121"), 1024, {{"dropout", 1}});
          }) == "DenseNet: dropout is 1, expected at least 0 and below 1");
    CHECK(error_of([] {
              make_model(*find_model("efficientnet-b0"), 1280, {{"drop-connect", 1.5}});
          }) == "EfficientNet: drop_connect is 1.5, expected at least 0 and below 1");
}

TEST_CASE("a NaN among a network's weights shows in its evaluation", "[models][slow]") {
    const NoGrad no_grad;
    for (const std::string name :
         {"lenetpp", "resnet20", "vgg11-cifar", "densenet-40-12", "densenet-bc-100-12", "efficientnet-b0"}) {
        INFO(name);
        const ModelInfo& info = *find_model(name);
        const auto net = make_model(info, info.dim);
        net->eval();
        std::vector<double> values = net->parameters().front().to_vector<double>();
        values.front() = NAN;
        const Tensor broken = net->parameters().front().detach();
        broken.copy_(Tensor::from(values, broken.shape()));
        const std::int64_t side = std::min<std::int64_t>(info.image[1], 32);
        const auto feature = net->forward(random_images({2, info.image[0], side, side})).to_vector<double>();
        CHECK(std::any_of(feature.begin(), feature.end(), [](double v) { return std::isnan(v); }));
    }
}

TEST_CASE("the networks start with filters of the published deviations", "[models]") {
    const Vgg vgg({.depths = {1}, .widths = {512}, .hidden = 64});
    CHECK(mean_square(parameter(vgg, "features.0.weight")) == Approx(2.0 / (9 * 512)).epsilon(0.05));
    CHECK(mean_square(parameter(vgg, "classifier.0.weight")) == Approx(1e-4).epsilon(0.01));
    CHECK(mean_square(parameter(vgg, "features.0.bias")) == 0);
    CHECK(mean_square(parameter(vgg, "classifier.3.bias")) == 0);
    const DenseNet densenet(*densenet_options("densenet-bc-100-12"));
    CHECK(mean_square(parameter(densenet, "features.denseblock3.denselayer16.conv1.weight")) ==
          Approx(2.0 / 48).epsilon(0.05));
    const InvertedResidual block({.in_channels = 64, .out_channels = 64, .kernel = 5});
    CHECK(mean_square(parameter(block, "conv_dw.weight")) == Approx(2.0 / 25).epsilon(0.05));  // depthwise fan-out
    CHECK(mean_square(parameter(block, "conv_pw.weight")) == Approx(2.0 / 384).epsilon(0.05));
    CHECK(mean_square(parameter(block, "se.conv_reduce.weight")) == Approx(2.0 / 16).epsilon(0.1));
    CHECK(mean_square(parameter(block, "se.conv_expand.bias")) == 0);
}

TEST_CASE("the networks refuse what does not fit", "[models]") {
    const Tensor grey = Tensor::zeros({2, 1, 32, 32});
    CHECK(error_of([&] { Vgg(small_vgg()).forward(grey); }) ==
          "Vgg: input has shape [2, 1, 32, 32], expected [N, 3, H, W]");
    CHECK(error_of([&] { DenseNet(small_densenet()).forward(grey); }) ==
          "DenseNet: input has shape [2, 1, 32, 32], expected [N, 3, H, W]");
    CHECK(error_of([&] { EfficientNet(small_efficientnet()).forward({}); }) ==
          "EfficientNet: input is undefined, expected [N, 3, H, W]");
    CHECK(
        error_of([&] {
            Vgg(small_vgg()).forward(Tensor::zeros({2, 3, 20, 14}));
        }) ==
        "Vgg: input has shape [2, 3, 20, 14], whose last map is 10 x 7, expected a multiple of 7 x 7, as of 224 x 224");
    CHECK(error_of([] {
              Vgg({.depths = {1, 0}, .widths = {4, 4}});
          }) ==
          "Vgg: depths [1, 0], widths [4, 4] and in_channels 3, expected as many widths as depths, all at least 1");
    CHECK(error_of([] { DenseNet({.depths = {}}); }) ==
          "DenseNet: depths [], growth 32, stem_width 64 and in_channels 3 must each be at least 1");
    CHECK(error_of([] { DenseNet({.compression = 0}); }) ==
          "DenseNet: compression is 0, expected above 0 and at most 1");
    CHECK(error_of([] { EfficientNet({.width = 0}); }) == "EfficientNet: width 0 and depth 1 must each be above 0");
    CHECK(
        error_of([] {
            EfficientNet({.stages = {{3, 1, 0, 16, 1}}});
        }) ==
        "EfficientNet: stage 0 has kernel 3, stride 1, expansion 0, channels 16 and repeats 1, expected each to be at "
        "least 1");
    CHECK_FALSE(vgg_options("vgg12").has_value());
    CHECK_FALSE(vgg_options("vgg11-").has_value());
    CHECK_FALSE(densenet_options("densenet").has_value());
    CHECK_FALSE(efficientnet_options("efficientnet-b8").has_value());
}

TEST_CASE("every parameter of the networks gets a finite gradient", "[models]") {
    Vgg vgg(small_vgg());
    DenseNet densenet(small_densenet());
    EfficientNetOptions options = small_efficientnet();
    options.drop_connect = 0.2;
    EfficientNet efficientnet(options);
    for (Layer* net : std::vector<Layer*>{&vgg, &densenet, &efficientnet}) {
        const Tensor feature = net->forward(random_images({8, 3, 14, 14}));
        backward(feature, Tensor::full(feature.shape(), 1));
        for (const auto& [name, tensor] : net->named_parameters()) {
            INFO(name);
            REQUIRE(tensor.grad().defined());
            for (const double g : tensor.grad().to_vector<double>()) REQUIRE(std::isfinite(g));
        }
    }
}

}  // namespace radial::test
