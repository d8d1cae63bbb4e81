// What a loss does where it says nothing of its own.
#include "radial/losses/loss.h"

#include "radial/core/util/error.h"

namespace radial {

void Loss::set_class_weights(const std::vector<double>& weights) {
    RADIAL_CHECK(weights.empty(), "class weights: this loss is not a softmax over classes, and has none");
}

Tensor Loss::batch_weight(const Tensor&) { return {}; }

void Regulariser::set_class_weights(const std::vector<double>&) {}

}  // namespace radial
