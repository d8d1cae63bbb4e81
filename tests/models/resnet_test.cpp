// Tests of residual networks: published depths and numbers of parameters, shapes, names, exact error messages.
#include "radial/models/resnet.h"
#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/optim/optim.h"
#include "radial/core/tensor/random.h"
#include "radial/models/registry.h"

#include <cmath>
#include <map>
#include <set>

namespace radial::test {
namespace {

Tensor random_images(const Shape& shape) {
    const Tensor x = Tensor::empty(shape);
    Generator generator(12);
    uniform_(x, -1, 1, generator);
    return x;
}

ResNet named(const std::string& name) { return ResNet(*resnet_options(name)); }

/// The number of parameters of the network and of a linear classifier on its feature.
std::int64_t with_classifier(const ResNet& net, std::int64_t classes) {
    return net.parameter_count() + (net.feature_dim() + 1) * classes;
}

std::set<std::string> names_of(const std::vector<NamedTensor>& tensors) {
    std::set<std::string> names;
    for (const auto& [name, tensor] : tensors) names.insert(name);
    return names;
}

}  // namespace

TEST_CASE("CIFAR's residual networks have the published number of parameters") {
    const std::map<std::string, std::int64_t> published = {{"resnet20", 269'722},
                                                           {"resnet32", 464'154},
                                                           {"resnet44", 658'586},
                                                           {"resnet56", 853'018},
                                                           {"resnet110", 1'727'962}};
    for (const auto& [name, count] : published) {
        INFO(name);
        CHECK(with_classifier(named(name), 10) == count);
    }
}

TEST_CASE("ImageNet's residual networks have as many parameters as torchvision's") {
    const SkipRandomFill skip;
    const std::map<std::string, std::int64_t> published = {{"resnet18", 11'689'512},
                                                           {"resnet34", 21'797'672},
                                                           {"resnet50", 25'557'032},
                                                           {"resnet101", 44'549'160},
                                                           {"resnet152", 60'192'808}};
    for (const auto& [name, count] : published) {
        INFO(name);
        CHECK(with_classifier(named(name), 1000) == count);
    }
}

TEST_CASE("a residual network has as many weighted layers as its name says", "[slow]") {
    const SkipRandomFill skip;
    for (const std::string& name : resnet_names()) {
        INFO(name);
        std::int64_t convolutions = 0;
        for (const auto& [parameter, tensor] : named(name).named_parameters())
            if (tensor.rank() == 4 && parameter.find("downsample") == std::string::npos) ++convolutions;
        const std::string counted = fmt::format("resnet{}", convolutions + 1);  // plus the classifier
        CHECK((name == counted || name == counted + "-cifar"));
    }
}

TEST_CASE("a residual network gives one feature an image") {
    const NoGrad no_grad;
    CHECK(named("resnet20").forward(random_images({3, 3, 32, 32})).shape() == Shape{3, 64});
    CHECK(named("resnet18").forward(random_images({2, 3, 64, 64})).shape() == Shape{2, 512});
    CHECK(named("resnet18-cifar").forward(random_images({2, 3, 32, 32})).shape() == Shape{2, 512});
    CHECK(named("resnet50").forward(random_images({2, 3, 64, 64})).shape() == Shape{2, 2048});
}

TEST_CASE("a residual network's tensors are named as torchvision's") {
    const SkipRandomFill skip;
    const auto fifty = named("resnet50").state();
    CHECK(fifty.front().name == "conv1.weight");
    CHECK(names_of(named("resnet50").named_parameters()).size() == 159);  // 53 convolutions, and 53 norms with two each
    for (const std::string name : {"bn1.running_mean", "layer1.0.conv1.weight", "layer1.0.downsample.0.weight",
                                   "layer1.0.downsample.1.running_var", "layer3.5.bn3.bias", "layer4.2.conv3.weight"})
        CHECK(names_of(fifty).contains(name));
    for (const auto& [name, tensor] : named("resnet20").state()) CHECK(name.find("downsample") == std::string::npos);
}

TEST_CASE("a bottleneck's stride is on its 3x3 convolution") {
    // In a row of eight pixels, a 1x1 convolution with stride 2 would not read those with odd indices.
    manual_seed(1);
    ResNet net({.block = ResNetOptions::Block::bottleneck,
                .stem = ResNetOptions::Stem::small,
                .depths = {1, 1},
                .widths = {8, 8}});  // enough that each pixel's gradient passes some ReLU
    net.eval();
    const auto parameters = net.named_parameters();
    for (const auto& [name, tensor] : parameters)
        if (name.find("downsample") != std::string::npos && tensor.rank() == 4) tensor.fill_(0);
    const Tensor x = random_images({1, 3, 1, 8}).set_requires_grad();
    const Tensor feature = net.forward(x);
    backward(feature, Tensor::full(feature.shape(), 1));
    std::int64_t reached = 0;
    for (const double g : x.grad().to_vector<double>()) reached += g != 0 ? 1 : 0;
    CHECK(reached == 24);
}

TEST_CASE("a residual network starts with filters of the deviation that He gives") {
    for (const auto& [name, tensor] : named("resnet18").named_parameters()) {
        if (name != "layer4.0.conv2.weight") continue;
        double squares = 0;
        for (const double w : tensor.to_vector<double>()) squares += w * w;
        CHECK(squares / static_cast<double>(tensor.numel()) == Approx(2.0 / (9 * 512)).epsilon(0.01));
    }
}

TEST_CASE("every parameter of a residual network gets a finite gradient") {
    ResNet net({.shortcut = ResNetOptions::Shortcut::zero_pad,
                .stem = ResNetOptions::Stem::small,
                .depths = {1, 1},
                .widths = {4, 8}});
    const Tensor features = net.forward(random_images({2, 3, 8, 8}));
    backward(features, Tensor::full({2, 8}, 1));
    for (const auto& [name, tensor] : net.named_parameters()) {
        INFO(name);
        REQUIRE(tensor.grad().defined());
        for (const double g : tensor.grad().to_vector<double>()) REQUIRE(std::isfinite(g));
    }
}

TEST_CASE("a residual network refuses what does not fit") {
    CHECK(error_of([] {
              named("resnet20").forward(Tensor::zeros({2, 1, 32, 32}));
          }) == "ResNet: input has shape [2, 1, 32, 32], expected [N, 3, H, W]");
    CHECK(error_of([] { named("resnet20").forward({}); }) == "ResNet: input is undefined, expected [N, 3, H, W]");
    CHECK(error_of([] {
              ResNet({.depths = {2, 0}, .widths = {8, 8}});
          }) ==
          "ResNet: depths [2, 0], widths [8, 8] and in_channels 3, expected as many widths as depths, all at least 1");
    CHECK(error_of([] {
              ResNet({.depths = {2}, .widths = {8, 8}});
          }) ==
          "ResNet: depths [2], widths [8, 8] and in_channels 3, expected as many widths as depths, all at least 1");
    CHECK_FALSE(resnet_options("resnet21").has_value());
}

TEST_CASE("a block that starts at zero is its shortcut, and learns all the same") {
    for (const auto kind : {ResNetOptions::Block::basic, ResNetOptions::Block::bottleneck}) {
        ResNetBlock block({.block = kind, .zero_init_residual = true}, 8, kind == ResNetOptions::Block::basic ? 8 : 2,
                          1);
        const Tensor x = Tensor::empty({2, 8, 4, 4});
        Generator generator(12);
        uniform_(x, 0, 1, generator);
        CHECK(differences(block.forward(x).to_vector<float>(), x.to_vector<float>()) == "");
        sum(block.forward(x) * x).backward();
        int learning = 0;
        for (const Tensor& parameter : block.parameters()) learning += gradient_norm({parameter}) > 0 ? 1 : 0;
        CHECK(learning == 2);  // at first only the last norm's scale and shift learn
    }
}

TEST_CASE("the registry's residual networks start at zero when asked to") {
    const auto zeros = [](const ModelSettings& settings) {
        int count = 0;
        for (const auto& [name, tensor] : make_model(*find_model("resnet20"), 64, settings)->named_parameters())
            count += name.ends_with("bn2.weight") && sum(tensor * tensor).item() == 0 ? 1 : 0;
        return count;
    };
    CHECK(zeros({}) == 0);
    CHECK(zeros({{"zero-init-residual", 1}}) == 9);
}

}  // namespace radial::test
