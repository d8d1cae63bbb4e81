// The cost of a network: parameters, multiply-adds and activations, in total and by layer.
//
// Costs are counted as in Radosavovic et al. 2020 ("Designing Network Design Spaces"), like the published figures: only
// convolutions and linear layers count. The multiply-adds of a layer are those of its products, plus one per element of
// the result if it adds a bias; its activations are the elements of its result. All numbers are for one image.
#pragma once

#include "radial/models/registry.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial {

/// The cost of a whole network.
struct ModelCost {
    std::int64_t parameters = 0;     ///< elements of all parameters
    std::int64_t multiply_adds = 0;  ///< for one image
    std::int64_t activations = 0;    ///< for one image
};

/// One op of a forward pass, for one image.
struct LayerCost {
    std::string op;              ///< "conv2d", "batch_norm", "relu"
    std::string module;          ///< module whose weight the op uses: "layer1.0.conv1"; "" for an op without a weight
    Shape output;                ///< shape of its result for a batch of 1
    std::int64_t parameters;     ///< elements of the parameters that the op uses and no earlier op used
    std::int64_t multiply_adds;  ///< 0 except for convolutions and linear layers
    std::int64_t activations;    ///< 0 except for convolutions and linear layers
    bool bias;                   ///< whether multiply_adds include a bias

    /// The multiply-adds without those of the bias.
    std::int64_t products() const { return bias ? multiply_adds - activations : multiply_adds; }
};

/// The ops of `model` on one image [C, H, W], in order. Runs the model once in evaluation mode, without gradients, on
/// the device of its parameters, and observes its ops. Throws whatever forward() throws.
std::vector<LayerCost> layer_costs(Layer& model, const Shape& image);

/// The cost of `model` on one image [C, H, W], with a linear classifier of `classes` classes on its feature of length
/// `dim`. Throws whatever forward() throws.
ModelCost model_cost(Layer& model, const Shape& image, std::int64_t dim, std::int64_t classes);
/// The cost of a network of the registry on square images of `side` x `side` pixels, with such a classifier. Throws as
/// make_model() does, and as the network does for images of that size.
ModelCost model_cost(const ModelInfo& info, std::int64_t dim, std::int64_t classes, std::int64_t side);

}  // namespace radial
