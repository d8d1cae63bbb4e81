// Compares VGG, DenseNet, EfficientNet, airbench and squeeze-and-excitation with PyTorch, torchvision and timm:
// features, gradients of every parameter, running statistics.
#include "golden_network.h"
#include "radial/layers/conv.h"
#include "radial/models/airbench.h"
#include "radial/models/densenet.h"
#include "radial/models/efficientnet.h"
#include "radial/models/vgg.h"

namespace radial::test {
namespace {

std::unique_ptr<Layer> make_vgg(const GoldenCase& golden) {
    return std::make_unique<Vgg>(VggOptions{.depths = golden.attributes.at("depths"),
                                            .widths = golden.attributes.at("widths"),
                                            .batch_norm = golden.flag("batch_norm", false),
                                            .hidden = golden.attributes.at("hidden")});
}

std::unique_ptr<Layer> make_densenet(const GoldenCase& golden) {
    using Stem = DenseNetOptions::Stem;
    return std::make_unique<DenseNet>(DenseNetOptions{.depths = golden.attributes.at("depths"),
                                                      .growth = golden.attributes.at("growth"),
                                                      .stem_width = golden.attributes.at("stem_width"),
                                                      .stem = golden.flag("small", false) ? Stem::small : Stem::large,
                                                      .bottleneck = golden.flag("bottleneck", true),
                                                      .compression = golden.number("compression", 1)});
}

std::unique_ptr<Layer> make_efficientnet(const GoldenCase& golden) {
    EfficientNetOptions options{.stem_width = golden.attributes.at("stem_width"),
                                .head_width = golden.attributes.at("head_width"),
                                .stages = {}};
    for (const auto& stage : golden.attributes.at("stages"))
        options.stages.push_back({stage.at(0), stage.at(1), stage.at(2), stage.at(3), stage.at(4)});
    return std::make_unique<EfficientNet>(options);
}

std::unique_ptr<Layer> make_airbench(const GoldenCase& golden) {
    return std::make_unique<Airbench>(AirbenchOptions{.widths = golden.attributes.at("widths")});
}

std::unique_ptr<Layer> make_squeeze_excite(const GoldenCase& golden) {
    return std::make_unique<SqueezeExcite>(
        SqueezeExciteOptions{.channels = golden.attributes.at("channels"), .reduced = golden.attributes.at("reduced")});
}

void check(const std::string& name, std::size_t count, const MakeNetwork& make) {
    check_golden_network("zoo.safetensors", name, count, make);
}

}  // namespace

TEST_CASE("VGG agrees with PyTorch in training and evaluation", "[golden]") { check("Vgg", 6, make_vgg); }
TEST_CASE("DenseNet agrees with torchvision in training and evaluation", "[golden]") {
    check("DenseNet", 6, make_densenet);
}
TEST_CASE("EfficientNet agrees with timm in training and evaluation", "[golden]") {
    check("EfficientNet", 2, make_efficientnet);
}
TEST_CASE("airbench agrees with PyTorch in training and evaluation", "[golden]") {
    check("Airbench", 2, make_airbench);
}
TEST_CASE("squeeze-and-excitation agrees with PyTorch", "[golden]") { check("SqueezeExcite", 1, make_squeeze_excite); }

}  // namespace radial::test
