// Center: the pull to the centres, their own update, and the entries in the registries.
#include "radial/losses/center.h"

#include "radial/core/distributed/over_ranks.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/softmax.h"
#include "radial/losses/weighted_mean.h"
#include "radial/losses/with_term.h"

namespace radial {

Center::Center(const CenterOptions& options) : options_(options) {
    RADIAL_CHECK(options_.classes >= 1 && options_.dim >= 1, "Center: classes {} and dim {} must each be at least 1",
                 options_.classes, options_.dim);
    RADIAL_CHECK(options_.alpha >= 0 && options_.alpha <= 1, "Center: alpha is {}, expected within [0, 1]",
                 options_.alpha);
    centres_ = register_buffer("centres", Tensor::empty({options_.classes, options_.dim}), BufferKind::statistic);
    init::xavier_uniform_(centres_);
}

Tensor Center::forward(const Tensor& feature, const Tensor& labels, const Tensor&) {
    check_feature("Center", feature, centres_);
    check_labels("Center", labels, feature);
    const Tensor x = cast(feature, centres_.dtype());
    const Tensor own = gather_rows(centres_, labels);
    const Tensor loss = 0.5 * class_weighted_mean(sum(square(x - own), {1}), labels, class_weights_.like(x));
    if (training()) move_centres(x, own, labels);
    return loss;
}

void Center::move_centres(const Tensor& feature, const Tensor& own, const Tensor& labels) {
    const NoGrad guard;
    const Tensor difference = rows_of_all_ranks(feature.detach() - own), classes = rows_of_all_ranks(labels);
    const Tensor pull = class_sums(difference, classes, options_.classes);
    const Tensor ones = Tensor::full({classes.size(0), 1}, 1, own.dtype(), own.device());
    const Tensor count = class_sums(ones, classes, options_.classes);
    centres_.copy_(centres_ + options_.alpha * (pull / (count + 1)));
}

RegulariserInfo Center::info() {
    return {
        .name = "center",
        .formula = "1/2 * mean over i of |x_i - c_{y_i}|^2, c a running mean of the class",
        .source = "Wen et al.: A Discriminative Feature Learning Approach, ECCV 2016, Eq. 2 and 4",
        .defaults = {{"alpha", CenterOptions{}.alpha}},
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<Center>(
                    CenterOptions{.classes = classes, .dim = dim, .alpha = settings.at("alpha")});
            },
    };
}

LossInfo Center::loss_info() {
    constexpr double lambda = 0.003;
    return with_term({.name = "center",
                      .formula = "softmax + lambda/2 * mean over i of |x_i - c_{y_i}|^2, c a running mean of the class",
                      .source = "Wen et al.: A Discriminative Feature Learning Approach, ECCV 2016, Eq. 5",
                      .defaults = {},
                      .make = {}},
                     Softmax::info(), info(), lambda);
}

}  // namespace radial
