// Compares RegNet with torchvision: features, gradients of every parameter, running statistics.
#include "radial/models/regnet.h"

#include "golden_network.h"

namespace radial::test {
namespace {

std::unique_ptr<Layer> make_regnet(const GoldenCase& golden) {
    return std::make_unique<RegNet>(RegNetOptions{.depth = golden.attributes.at("depth"),
                                                  .initial = golden.attributes.at("w_0"),
                                                  .slope = golden.attributes.at("w_a"),
                                                  .step = golden.attributes.at("w_m"),
                                                  .group_width = golden.attributes.at("group_width"),
                                                  .squeeze_ratio = golden.attributes.at("se_ratio"),
                                                  .stem_width = golden.attributes.at("stem_width")});
}

}  // namespace

TEST_CASE("RegNet agrees with torchvision in training and evaluation", "[golden]") {
    check_golden_network("regnet.safetensors", "RegNet", 4, make_regnet);
}

}  // namespace radial::test
