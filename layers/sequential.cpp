// Sequential: a list of layers, each applied to the result of the previous one.
#include "radial/layers/sequential.h"

#include "radial/core/autograd/autograd.h"

#include <string>
#include <utility>

namespace radial {

Sequential::Sequential(const std::vector<std::shared_ptr<Layer>>& layers) {
    for (const auto& layer : layers) add(layer);
}

Sequential& Sequential::add(std::shared_ptr<Layer> layer) {
    RADIAL_CHECK(layer != nullptr, "Sequential: layer {} is null", layers_.size());
    layers_.push_back(register_module(std::to_string(layers_.size()), std::move(layer)));
    return *this;
}

Tensor Sequential::forward(Tensor x) {
    // x is moved to each layer, so that the layer has the only reference to a temporary and may overwrite it.
    for (const auto& layer : layers_)
        x = recomputes() && layer->is_segment() ? recompute(*layer, x) : layer->forward(std::move(x));
    return x;
}

}  // namespace radial
