// Compares MobileNetV3 with torchvision: features, gradients of every parameter, running statistics.
#include "radial/models/mobilenet.h"

#include "golden_network.h"

namespace radial::test {
namespace {

std::unique_ptr<Layer> make_mobilenet(const GoldenCase& golden) {
    MobileNetV3Options options{.rows = {},
                               .stem_width = golden.attributes.at("stem_width"),
                               .hidden = golden.attributes.at("hidden"),
                               .norm_epsilon = golden.number("norm_epsilon", 0),
                               .norm_momentum = golden.number("norm_momentum", 0)};
    for (const auto& row : golden.attributes.at("rows"))
        options.rows.push_back({.kernel = row.at(0),
                                .expanded = row.at(1),
                                .channels = row.at(2),
                                .squeeze = row.at(3),
                                .activation = row.at(4).get<bool>() ? Activation::hard_swish : Activation::relu,
                                .stride = row.at(5)});
    return std::make_unique<MobileNetV3>(options);
}

}  // namespace

TEST_CASE("MobileNetV3 agrees with torchvision in training and evaluation", "[golden]") {
    check_golden_network("mobilenet.safetensors", "MobileNetV3", 2, make_mobilenet);
}

}  // namespace radial::test
