// Compares the layers that enlarge images, 1-D convolution, adaptive pooling and embedding with PyTorch.
#include "golden.h"
#include "radial/layers/conv.h"
#include "radial/layers/embedding.h"
#include "radial/layers/upsample.h"

#include <set>

namespace radial::test {
namespace {

const std::string fixture = "conv_modules.safetensors";

Size2d size2d(const GoldenCase& golden, const char* key, std::int64_t otherwise) {
    const auto [h, w] = golden.pair(key, otherwise);
    return {h, w};
}

std::unique_ptr<Layer> make_conv_transpose(const GoldenCase& golden) {
    return std::make_unique<ConvTranspose2d>(
        ConvTranspose2dOptions{.in_channels = 4,
                               .out_channels = golden.attributes.at("out"),
                               .kernel = size2d(golden, "kernel", 1),
                               .stride = size2d(golden, "stride", 1),
                               .padding = size2d(golden, "padding", 0),
                               .output_padding = size2d(golden, "output_padding", 0),
                               .dilation = size2d(golden, "dilation", 1),
                               .groups = golden.attributes.value("groups", 1),
                               .bias = golden.flag("bias", true)});
}

std::unique_ptr<Layer> make_conv1d(const GoldenCase& golden) {
    return std::make_unique<Conv1d>(Conv1dOptions{.in_channels = 4,
                                                  .out_channels = golden.attributes.at("out"),
                                                  .kernel = golden.attributes.at("kernel"),
                                                  .stride = golden.attributes.value("stride", 1),
                                                  .padding = golden.attributes.value("padding", 0),
                                                  .dilation = golden.attributes.value("dilation", 1),
                                                  .groups = golden.attributes.value("groups", 1),
                                                  .bias = golden.flag("bias", true)});
}

std::unique_ptr<Layer> make_upsample(const GoldenCase& golden) {
    const std::string mode = golden.attributes.value("mode", "nearest");
    UpsampleOptions options{.scale = golden.number("scale", 1),
                            .mode = mode == "nearest"    ? Interpolation::nearest
                                    : mode == "bilinear" ? Interpolation::bilinear
                                                         : Interpolation::bicubic,
                            .align_corners = golden.flag("align_corners", false)};
    if (golden.attributes.contains("size")) options.size = size2d(golden, "size", 1);
    return std::make_unique<Upsample>(options);
}

std::unique_ptr<Layer> make_embedding(const GoldenCase& golden) {
    const Tensor weight = golden.inputs.at("weight");
    EmbeddingOptions options{.rows = weight.size(0), .dim = weight.size(1)};
    if (golden.attributes.contains("padding_index")) options.padding_index = golden.attributes.at("padding_index");
    return std::make_unique<Embedding>(options);
}

template <class L>
std::unique_ptr<Layer> make_shuffle(const GoldenCase& golden) {
    return std::make_unique<L>(PixelShuffleOptions{.factor = golden.attributes.at("factor")});
}

template <class L>
std::unique_ptr<Layer> make_adaptive(const GoldenCase& golden) {
    return std::make_unique<L>(AdaptivePool2dOptions{.size = size2d(golden, "size", 1)});
}

struct LayerUnderTest {
    std::string name;
    std::size_t cases;
    std::function<std::unique_ptr<Layer>(const GoldenCase&)> make;
};

const std::vector<LayerUnderTest> layers = {
    {"ConvTranspose2d", 2, make_conv_transpose},
    {"Conv1d", 2, make_conv1d},
    {"Upsample", 3, make_upsample},
    {"PixelShuffle", 1, make_shuffle<PixelShuffle>},
    {"PixelUnshuffle", 1, make_shuffle<PixelUnshuffle>},
    {"AdaptiveAvgPool2d", 1, make_adaptive<AdaptiveAvgPool2d>},
    {"AdaptiveMaxPool2d", 1, make_adaptive<AdaptiveMaxPool2d>},
    {"Embedding", 2, make_embedding},
};

/// Loads the recorded weights into a new layer, replaces the inputs by the layer's own tensors, and runs it.
GoldenFunction forward_of(const LayerUnderTest& entry) {
    return [&entry](const GoldenCase& golden, TensorMap& inputs) {
        const auto layer = entry.make(golden);
        const Tensor x = inputs.at("x");
        std::vector<NamedTensor> state;
        for (const auto& [name, tensor] : inputs)
            if (name != "x") state.push_back({name, tensor.detach()});
        if (!state.empty()) layer->to(state.front().tensor.dtype());
        layer->load_state(state);
        for (const auto& [name, tensor] : layer->state()) inputs[name] = tensor;
        return TensorMap{{"y", layer->forward(x)}};
    };
}

}  // namespace

TEST_CASE("layers that enlarge images, 1-D convolution, adaptive pooling and embedding agree with PyTorch",
          "[golden][layers]") {
    for (const auto& entry : layers) check_all_golden(fixture, entry.name, entry.cases, forward_of(entry));
}

TEST_CASE("every recorded layer of the convolution family is compared with Radial's", "[golden][layers]") {
    std::set<std::string> tested, recorded;
    for (const auto& entry : layers) tested.insert(entry.name);
    for (const auto& golden : golden_cases(fixture)) recorded.insert(golden.op);
    CHECK(recorded == tested);
}

}  // namespace radial::test
