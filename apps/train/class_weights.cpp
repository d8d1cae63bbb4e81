// Weights from the labels' counts.
#include "radial/apps/train/class_weights.h"

#include "radial/core/util/error.h"

namespace radial::train {

std::vector<double> balanced_weights(const Tensor& labels, std::int64_t classes) {
    std::vector<double> weights(static_cast<std::size_t>(classes), 0.0);
    for (const std::int64_t label : labels.values<std::int64_t>()) {
        RADIAL_CHECK(label >= 0 && label < classes, "class weights: label {} is outside [0, {})", label, classes);
        ++weights[static_cast<std::size_t>(label)];
    }
    double sum = 0, present = 0;
    for (double& weight : weights) {
        if (weight == 0) continue;
        weight = 1 / weight;
        sum += weight;
        ++present;
    }
    for (double& weight : weights) weight *= sum > 0 ? present / sum : 0;
    return weights;
}

}  // namespace radial::train
