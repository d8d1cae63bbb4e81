// Circle: the op, and its entry in the registry.
#include "radial/losses/circle.h"

#include "radial/losses/functional.h"

#include <cmath>

namespace radial {

Circle::Circle(const CircleOptions& options)
    : PairLoss("Circle", options.classes, options.dim, true, options.momentum), pairs_(options.pairs) {
    RADIAL_CHECK(options.pairs.gamma > 0, "Circle: gamma is {}, expected above 0", options.pairs.gamma);
    RADIAL_CHECK(std::isfinite(options.pairs.margin), "Circle: margin is {}, expected a finite number",
                 options.pairs.margin);
}

Tensor Circle::batch_loss(const Tensor& x, const PairLabels& labels) {
    return circle_loss(cosines(x, x), labels, pairs_);
}

LossInfo Circle::info() {
    const CircleOptions defaults;
    return {
        .name = "circle",
        .formula =
            "mean over a of log(1 + sum over negatives of exp(gamma [cos + m]+ (cos - m)) * sum over positives of "
            "exp(-gamma [1 + m - cos]+ (cos - 1 + m)))",
        .source = "Sun et al.: Circle Loss, CVPR 2020, Eq. 6 to 8",
        .defaults = {{"margin", defaults.pairs.margin},
                     {"gamma", defaults.pairs.gamma},
                     {"through_weights", defaults.pairs.through_weights ? 1 : 0},
                     {"momentum", defaults.momentum}},
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<Circle>(
                    CircleOptions{.classes = classes,
                                  .dim = dim,
                                  .pairs = {.margin = settings.at("margin"),
                                            .gamma = settings.at("gamma"),
                                            .through_weights = settings.at("through_weights") != 0},
                                  .momentum = settings.at("momentum")});
            },
    };
}

}  // namespace radial
