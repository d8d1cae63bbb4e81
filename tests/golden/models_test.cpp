// Compares residual networks with PyTorch: features, gradients of every parameter, running statistics.
#include "golden.h"
#include "radial/models/resnet.h"

namespace radial::test {
namespace {

ResNetOptions options_of(const GoldenCase& golden) {
    using Options = ResNetOptions;
    return {.block = golden.flag("bottleneck", false) ? Options::Block::bottleneck : Options::Block::basic,
            .shortcut = golden.flag("zero_pad", false) ? Options::Shortcut::zero_pad : Options::Shortcut::projection,
            .stem = golden.flag("small", false) ? Options::Stem::small : Options::Stem::large,
            .depths = golden.attributes.at("depths"),
            .widths = golden.attributes.at("widths")};
}

/// The feature of the network with the recorded state; the network's tensors replace the inputs.
TensorMap feature_of(const GoldenCase& golden, TensorMap& inputs) {
    ResNet net(options_of(golden));
    const Tensor x = inputs.at("x");
    net.to(x.dtype());
    std::vector<NamedTensor> state;
    for (const auto& [name, tensor] : inputs)
        if (name != "x") state.push_back({name, tensor.detach()});
    net.load_state(state);
    for (const auto& [name, tensor] : net.state()) inputs[name] = tensor;
    net.train(golden.flag("training", true));
    return {{"y", net.forward(x)}};
}

}  // namespace

TEST_CASE("residual networks agree with PyTorch in training and evaluation", "[golden]") {
    check_all_golden("models.safetensors", "ResNet", 8, feature_of);
}

TEST_CASE("every parameter of a residual network has its gradient recorded", "[golden]") {
    for (const auto& golden : golden_cases("models.safetensors", "ResNet", 8)) {
        ResNet net(options_of(golden));
        CHECK(golden.gradients.size() == net.named_parameters().size() + 1);  // and that of the image
        for (const auto& [name, tensor] : net.named_parameters()) CHECK(golden.gradients.contains(name));
    }
}

}  // namespace radial::test
