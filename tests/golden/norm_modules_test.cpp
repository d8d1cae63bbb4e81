// Compares the normalisation layers, except BatchNorm2d, and multi-head attention with PyTorch.
#include "golden.h"
#include "radial/core/ops.h"
#include "radial/layers/attention.h"
#include "radial/layers/norm.h"

#include <set>
#include <span>

namespace radial::test {
namespace {

const std::string fixture = "norm_modules.safetensors";

/// Creates a case's layer, and calls it.
struct LayerUnderTest {
    std::string name;
    std::size_t cases;
    std::function<std::unique_ptr<Layer>(const GoldenCase&)> make;
    std::function<Tensor(Layer&, const GoldenCase&, const Tensor&)> call =
        [](Layer& layer, const GoldenCase&, const Tensor& x) { return layer.forward(x); };
};

Shape shape_of(const GoldenCase& golden) {
    return Shape(std::span<const std::int64_t>(golden.attributes.at("shape").get<std::vector<std::int64_t>>()));
}

std::unique_ptr<Layer> make_attention(const GoldenCase& golden) {
    return std::make_unique<MultiHeadAttention>(MultiHeadAttentionOptions{.embed_dim = golden.attributes.at("dim"),
                                                                          .heads = golden.attributes.at("heads"),
                                                                          .bias = golden.flag("bias", true),
                                                                          .causal = golden.flag("causal", false)});
}

/// Calls an attention layer; with the attribute "other", the samples attend to those in reverse order.
Tensor call_attention(Layer& layer, const GoldenCase& golden, const Tensor& x) {
    if (!golden.flag("other", false)) return layer.forward(x);
    std::vector<Tensor> parts;
    for (std::int64_t i = x.size(0); i-- > 0;) parts.push_back(slice(x, 0, i, i + 1));
    const Tensor reversed = concat(parts, 0);
    return dynamic_cast<MultiHeadAttention&>(layer).forward(x, reversed, reversed);
}

const std::vector<LayerUnderTest> layers = {
    {"BatchNorm1d", 4,
     [](const GoldenCase&) { return std::make_unique<BatchNorm1d>(BatchNorm1dOptions{.channels = 6}); }},
    {"LayerNorm", 3,
     [](const GoldenCase& golden) {
         return std::make_unique<LayerNorm>(LayerNormOptions{.shape = shape_of(golden),
                                                             .epsilon = golden.number("epsilon", 1e-5),
                                                             .affine = golden.flag("affine", true),
                                                             .bias = golden.flag("bias", true)});
     }},
    {"LayerNorm2d", 1,
     [](const GoldenCase&) { return std::make_unique<LayerNorm2d>(LayerNorm2dOptions{.channels = 6}); }},
    {"GroupNorm", 2,
     [](const GoldenCase& golden) {
         return std::make_unique<GroupNorm>(GroupNormOptions{
             .groups = golden.attributes.at("groups"), .channels = 6, .affine = golden.flag("affine", true)});
     }},
    {"InstanceNorm2d", 2,
     [](const GoldenCase& golden) {
         return std::make_unique<InstanceNorm2d>(
             InstanceNorm2dOptions{.channels = 6, .affine = golden.flag("affine", false)});
     }},
    {"RMSNorm", 2,
     [](const GoldenCase& golden) {
         return std::make_unique<RMSNorm>(RMSNormOptions{.shape = shape_of(golden),
                                                         .epsilon = golden.number("epsilon", 1e-6),
                                                         .affine = golden.flag("affine", true)});
     }},
    {"MultiHeadAttention", 4, make_attention, call_attention},
};

GoldenFunction forward_of(const LayerUnderTest& entry) {
    return [&entry](const GoldenCase& golden, TensorMap& inputs) {
        const auto layer = entry.make(golden);
        const Tensor x = inputs.at("x");
        layer->to(x.dtype());
        std::vector<NamedTensor> state;
        for (const auto& [name, tensor] : inputs)
            if (name != "x") state.push_back({name, tensor.detach()});
        layer->load_state(state);
        for (const auto& [name, tensor] : layer->state()) inputs[name] = tensor;
        layer->train(golden.flag("training", true));
        return TensorMap{{"y", entry.call(*layer, golden, x)}};
    };
}

}  // namespace

TEST_CASE("normalisation and attention layers agree with PyTorch", "[golden]") {
    std::set<std::string> tested, recorded;
    for (const LayerUnderTest& entry : layers) {
        tested.insert(entry.name);
        check_all_golden(fixture, entry.name, entry.cases, forward_of(entry));
    }
    for (const auto& golden : golden_cases(fixture)) recorded.insert(golden.op);
    CHECK(recorded == tested);
}

}  // namespace radial::test
