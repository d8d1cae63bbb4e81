// LeNets++: three stages of two 5x5 convolutions and a pool that halves the image, then the feature.
#include "radial/models/lenetpp.h"

#include "radial/core/autograd/autograd.h"
#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/linear.h"

#include <utility>

namespace radial {
namespace {

constexpr std::int64_t image_size = 28;
constexpr std::int64_t stage_channels[] = {32, 64, 128};

}  // namespace

LeNetPlusPlus::LeNetPlusPlus(const LeNetPlusPlusOptions& options) : options_(options) {
    RADIAL_CHECK(options_.feature_dim >= 1 && options_.in_channels >= 1,
                 "LeNetPlusPlus: feature_dim {} and in_channels {} must each be at least 1", options_.feature_dim,
                 options_.in_channels);
    auto body = std::make_shared<Sequential>();
    std::int64_t channels = options_.in_channels, size = image_size;
    for (const std::int64_t width : stage_channels) {
        for (int i = 0; i < 2; ++i) {
            body->add<Conv2d>(Conv2dOptions{.in_channels = channels, .out_channels = width, .kernel = 5, .padding = 2});
            body->add<PReLU>(PReLUOptions{.channels = width});
            channels = width;
        }
        body->add<MaxPool2d>(Pool2dOptions{.window = 2});
        size /= 2;
    }
    body->add<Flatten>();
    body->add<Linear>(LinearOptions{.in_features = channels * size * size, .out_features = options_.feature_dim});
    body_ = register_module("body", std::move(body));
}

Tensor LeNetPlusPlus::forward(Tensor x) {
    RADIAL_CHECK(x.defined(), "LeNetPlusPlus: input is undefined");
    RADIAL_CHECK(
        x.rank() == 4 && x.size(1) == options_.in_channels && x.size(2) == image_size && x.size(3) == image_size,
        "LeNetPlusPlus: input has shape {}, expected [N, {}, {}, {}]", x.shape().str(), options_.in_channels,
        image_size, image_size);
    if (!recomputes()) return body_->forward(std::move(x));
    // Recomputes one stage at a time: two convolutions with their activations, and a pool.
    constexpr std::size_t stage_layers = 5;
    const auto& layers = body_->layers();
    for (std::size_t first = 0; first + stage_layers < layers.size(); first += stage_layers) {
        const auto stage = [&layers, first](Tensor input) {
            for (std::size_t i = first; i < first + stage_layers; ++i) input = layers[i]->forward(std::move(input));
            return input;
        };
        x = recompute(stage, x, parameters());
    }
    for (std::size_t i = layers.size() / stage_layers * stage_layers; i < layers.size(); ++i)
        x = layers[i]->forward(std::move(x));
    return x;
}

}  // namespace radial
