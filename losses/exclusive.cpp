// Exclusive: the nearest other prototype in angle, and its entry in the registry.
#include "radial/losses/exclusive.h"

#include "radial/core/ops.h"

#include <limits>
#include <vector>

namespace radial {

Exclusive::Exclusive(std::int64_t classes) : classes_(classes) {
    RADIAL_CHECK(classes >= 2, "Exclusive: classes is {}, expected at least 2", classes);
}

Tensor Exclusive::forward(const Tensor&, const Tensor&, const Tensor& prototypes) {
    RADIAL_CHECK(prototypes.defined(), "Exclusive: the loss beside it has no prototypes");
    RADIAL_CHECK(prototypes.rank() == 2 && prototypes.size(0) == classes_,
                 "Exclusive: prototypes are {}, expected one for each of {} classes", prototypes.shape().str(),
                 classes_);
    if (!diagonal_.defined()) {
        std::vector<std::int64_t> classes;
        for (std::int64_t c = 0; c < classes_; ++c) classes.push_back(c);
        const double none = -std::numeric_limits<double>::infinity();
        diagonal_ = place(Tensor::full({classes_}, none, prototypes.dtype(), prototypes.device()),
                          Tensor::from(classes, {classes_}, prototypes.device()), classes_);
    }
    // Once for each device and type, so that a step copies nothing from the host.
    diagonal_ = diagonal_.to(prototypes.dtype()).to(prototypes.device());
    return mean(max(cosines(prototypes, prototypes) + diagonal_, 1));
}

RegulariserInfo Exclusive::info() {
    return {
        .name = "exclusive",
        .formula = "mean over classes i of max_{j != i} cos(W_i, W_j), of the loss's own prototypes",
        .source = "Zhao, Xu, Cheng: RegularFace, CVPR 2019, exclusive regularisation",
        .defaults = {},
        .make = [](std::int64_t classes, std::int64_t,
                   const LossSettings&) { return std::make_unique<Exclusive>(classes); },
    };
}

}  // namespace radial
