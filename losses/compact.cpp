// Compact: the distance to the own prototype, and its entry in the registry.
#include "radial/losses/compact.h"

#include "radial/core/ops.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/weighted_mean.h"

namespace radial {

Compact::Compact(std::int64_t classes) : classes_(classes) {
    RADIAL_CHECK(classes >= 1, "Compact: classes is {}, expected at least 1", classes);
}

Tensor Compact::forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) {
    RADIAL_CHECK(prototypes.defined(), "Compact: the loss beside it has no prototypes");
    RADIAL_CHECK(prototypes.rank() == 2 && prototypes.size(0) > 0 && prototypes.size(0) % classes_ == 0,
                 "Compact: prototypes are {}, expected as many for each of {} classes", prototypes.shape().str(),
                 classes_);
    check_feature("Compact", feature, prototypes);
    check_labels("Compact", labels, feature);
    const Tensor x = cast(feature, prototypes.dtype());
    const std::int64_t rows = x.size(0), dim = x.size(1), each = prototypes.size(0) / classes_;
    const Tensor weights = class_weights_.like(x);
    if (each == 1) return class_weighted_mean(sum(square(x - gather_rows(prototypes, labels)), {1}), labels, weights);
    const Tensor own = gather_rows(reshape(prototypes, {classes_, each * dim}), labels);
    const Tensor distances = sum(square(reshape(own, {rows, each, dim}) - reshape(x, {rows, 1, dim})), {2});
    return -class_weighted_mean(max(-distances, 1), labels, weights);  // the nearest
}

RegulariserInfo Compact::info() {
    return {
        .name = "compact",
        .formula = "mean over i of |x_i - W_{y_i}|^2, to the loss's own prototypes",
        .source = "Yang et al.: Convolutional Prototype Learning, CVPR 2018, the prototype loss",
        .defaults = {},
        .make = [](std::int64_t classes, std::int64_t,
                   const LossSettings&) { return std::make_unique<Compact>(classes); },
    };
}

}  // namespace radial
