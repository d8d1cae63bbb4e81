// How much arithmetic a training step of a model takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace radial::bench {

/// A convolution or linear layer, by its multiply-adds for one image.
struct LayerCost {
    std::int64_t multiply_adds;
    bool input_gradient;  ///< false for the first layer: nobody wants the image's gradient
};

/// The layers of a model of models/registry.h on square images of `side` pixels, and the products of its
/// `dim`-dimensional feature with `classes` prototypes.
std::vector<LayerCost> model_cost(const std::string& model, std::int64_t side, std::int64_t dim, std::int64_t classes);

/// Floating-point operations of forward and backward over `batch` images: 2 a multiply-add, once forward, once for the
/// weights' gradient, once for the input's. Elementwise work is not counted.
double training_flops(const std::vector<LayerCost>& layers, std::int64_t batch);

}  // namespace radial::bench
