// The default behaviour of losses and regularisers, class weights, input checks, and the score "distance".
#include "radial/losses/loss.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>

namespace radial {

void Loss::set_class_weights(const std::vector<double>& weights) {
    RADIAL_CHECK(weights.empty(), "class weights: this loss is not a softmax over classes, and has none");
}

Tensor Loss::batch_weight(const Tensor&) { return {}; }

void Regulariser::set_class_weights(const std::vector<double>&) {}

void ClassWeights::set(std::string_view loss, std::int64_t classes, const std::vector<double>& weights) {
    if (!weights.empty()) {
        RADIAL_CHECK(static_cast<std::int64_t>(weights.size()) == classes, "{}: {} class weights, expected {}", loss,
                     weights.size(), classes);
        for (std::size_t i = 0; i < weights.size(); ++i) {
            RADIAL_CHECK(weights[i] >= 0 && std::isfinite(weights[i]),
                         "{}: the weight of class {} is {}, expected a number of at least 0", loss, i, weights[i]);
        }
        RADIAL_CHECK(std::ranges::any_of(weights, [](double w) { return w > 0; }), "{}: every class weight is 0", loss);
    }
    given_ = like_ = sum_ = weights.empty() ? Tensor() : Tensor::from(weights, {classes}, Device{});
}

Tensor ClassWeights::like(const Tensor& x) {
    if (like_.defined()) like_ = like_.to(x.dtype()).to(x.device());
    return like_;
}

Tensor ClassWeights::sum_over(const Tensor& labels) {
    if (!given_.defined()) return {};
    const NoGrad guard;
    sum_ = sum_.to(labels.device());
    return sum(gather_rows(reshape(sum_, {sum_.numel(), 1}), labels));
}

void check_feature(std::string_view loss, const Tensor& feature, const Tensor& prototypes) {
    RADIAL_CHECK(feature.defined(), "{}: feature is undefined", loss);
    RADIAL_CHECK(feature.rank() == 2, "{}: feature has shape {}, expected [N, {}]", loss, feature.shape().str(),
                 prototypes.size(1));
    RADIAL_CHECK(feature.size(1) == prototypes.size(1), "{}: feature has dimension {}, prototypes have {}", loss,
                 feature.size(1), prototypes.size(1));
}

void check_labels(std::string_view loss, const Tensor& labels, const Tensor& feature) {
    RADIAL_CHECK(labels.defined(), "{}: labels are undefined", loss);
    RADIAL_CHECK(labels.dtype() == DType::int64 && labels.shape() == Shape({feature.size(0)}),
                 "{}: labels are {}, expected int64[{}]", loss, labels.str(), feature.size(0));
}

LossScore nearest_score(const Tensor& squared_distances) {
    return {.name = "distance",
            .description = "The negative squared distance to the nearest prototype: 0 where they coincide.",
            .values = max(-squared_distances, 1)};
}

}  // namespace radial
