// Ring: the pull to the sphere, and the entries in the registries.
#include "radial/losses/ring.h"

#include "radial/core/distributed/over_ranks.h"
#include "radial/core/ops.h"
#include "radial/losses/softmax.h"
#include "radial/losses/weighted_mean.h"
#include "radial/losses/with_term.h"

namespace radial {

Ring::Ring()
    : radius_(register_parameter("radius", Tensor::full({1}, 1))),
      first_(register_buffer("started", Tensor::zeros({1}), BufferKind::state)) {}

Tensor Ring::forward(const Tensor& feature, const Tensor& labels, const Tensor&) {
    RADIAL_CHECK(feature.defined() && feature.rank() == 2, "Ring: feature is {}, expected [N, D]", feature.str());
    const Tensor lengths = row_norms(cast(feature, radius_.dtype()));
    if (first_.begins(training())) {
        const NoGrad guard;
        radius_.copy_(mean(rows_of_all_ranks(lengths), {0}, true));
    }
    return 0.5 * class_weighted_mean(square(lengths - radius_), labels, class_weights_.like(lengths));
}

RegulariserInfo Ring::info() {
    return {
        .name = "ring",
        .formula = "1/2 * mean over i of (|x_i| - R)^2, R learned",
        .source = "Zheng, Pal, Savvides: Ring loss, CVPR 2018",
        .defaults = {},
        .make = [](std::int64_t, std::int64_t, const LossSettings&) { return std::make_unique<Ring>(); },
    };
}

LossInfo Ring::loss_info() {
    constexpr double lambda = 0.01;
    return with_term({.name = "ring",
                      .formula = "softmax + lambda/2 * mean over i of (|x_i| - R)^2, R learned",
                      .source = "Zheng, Pal, Savvides: Ring loss, CVPR 2018",
                      .defaults = {},
                      .make = {}},
                     Softmax::info(), info(), lambda);
}

}  // namespace radial
