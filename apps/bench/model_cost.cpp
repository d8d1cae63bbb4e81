// Counts of multiply-adds from the layers' shapes.
#include "radial/apps/bench/model_cost.h"

namespace radial::bench {

std::vector<LayerCost> lenetpp_cost(std::int64_t dim, std::int64_t classes) {
    constexpr std::int64_t kernel = 5 * 5;
    std::vector<LayerCost> layers;
    std::int64_t channels = 1, side = 28;
    for (const std::int64_t width : {32, 64, 128}) {
        for (int i = 0; i < 2; ++i) {
            layers.push_back({side * side * kernel * channels * width, !layers.empty()});
            channels = width;
        }
        side /= 2;
    }
    layers.push_back({channels * side * side * dim, true});
    layers.push_back({dim * classes, true});
    return layers;
}

double training_flops(const std::vector<LayerCost>& layers, std::int64_t batch) {
    double total = 0;
    for (const LayerCost& layer : layers)
        total += 2.0 * static_cast<double>(layer.multiply_adds) * (layer.input_gradient ? 3 : 2);
    return total * static_cast<double>(batch);
}

}  // namespace radial::bench
