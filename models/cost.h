// What a network costs: parameters, multiply-adds and activations, in all and layer by layer.
//
// The rule is that of Radosavovic et al. 2020 ("Designing Network Design Spaces"), whose figures are the published
// ones: convolutions and linear layers count, nothing else does. A layer's multiply-adds are those of its products, and
// one more for each element of the result where it adds a bias; its activations are the elements of its result. All for
// one image.
#pragma once

#include "radial/models/registry.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial {

/// The cost of a whole network.
struct ModelCost {
    std::int64_t parameters = 0;
    std::int64_t multiply_adds = 0;
    std::int64_t activations = 0;
};

/// One op of a forward pass, for one image.
struct LayerCost {
    std::string op;              ///< "conv2d", "batch_norm", "relu"
    std::string module;          ///< whose weight it used: "layer1.0.conv1"; "" for an op without one
    Shape output;                ///< of its result, with a batch of 1
    std::int64_t parameters;     ///< elements of those that it used and no op before it
    std::int64_t multiply_adds;  ///< 0 for all but convolutions and linear layers, as the activations
    std::int64_t activations;
    bool bias;  ///< whether multiply_adds and activations are of a layer that adds one

    /// The multiply-adds without those of a bias.
    std::int64_t products() const { return bias ? multiply_adds - activations : multiply_adds; }
};

/// The ops of `model` on one image [C, H, W], in their order: watched while it runs once, in evaluation, on the device
/// of its parameters, without a tape. Throws what its forward() throws.
std::vector<LayerCost> layer_costs(Layer& model, const Shape& image);

/// The cost of `model` on one image, with a linear classifier of `classes` behind its feature of length `dim`.
ModelCost model_cost(Layer& model, const Shape& image, std::int64_t dim, std::int64_t classes);
/// The same of a network of the registry on square images of `side` pixels, built for it. Throws as make_model() and as
/// the network does for that size.
ModelCost model_cost(const ModelInfo& info, std::int64_t dim, std::int64_t classes, std::int64_t side);

}  // namespace radial
