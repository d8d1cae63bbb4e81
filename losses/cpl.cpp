// Cpl: prototypes, one or several a class, and the entries in the registry.
#include "radial/losses/cpl.h"

#include "radial/core/tensor/random.h"
#include "radial/losses/compact.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"
#include "radial/losses/with_term.h"

namespace radial {

Cpl::Cpl(const CplOptions& options)
    : SoftmaxLike("Cpl", options.classes, options.dim, options.softmax), options_(options) {
    RADIAL_CHECK(options_.prototypes_per_class >= 1, "Cpl: prototypes_per_class is {}, expected at least 1",
                 options_.prototypes_per_class);
    RADIAL_CHECK(options_.gamma > 0, "Cpl: gamma is {}, expected above 0", options_.gamma);
    prototypes_ = register_parameter("prototypes",
                                     Tensor::empty({options_.classes * options_.prototypes_per_class, options_.dim}));
    init::xavier_uniform_(prototypes_);
}

Tensor Cpl::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("Cpl", feature, prototypes_);
    check_labels("Cpl", labels, feature);
    if (options_.prototypes_per_class > 1) return cross_entropy(logits(feature), labels, head(prototypes_));
    return distance_softmax_loss(feature, prototypes_, labels, {.gamma = options_.gamma}, head(prototypes_));
}

Tensor Cpl::logits(const Tensor& feature) {
    check_feature("Cpl", feature, prototypes_);
    const Tensor x = cast(feature, prototypes_.dtype());
    const Tensor each = squared_distances(x, prototypes_) * -options_.gamma;
    if (options_.prototypes_per_class == 1) return each;
    return log_sum_exp(reshape(each, {x.size(0), options_.classes, options_.prototypes_per_class}));
}

LossInfo Cpl::info() {
    const CplOptions defaults;
    return {
        .name = "cpl",
        .formula = "mean over i of -log sum_k softmax over (j, k) of (-gamma * |x_i - W_jk|^2)[y_i, k]",
        .source = "Yang et al.: Convolutional Prototype Learning, CVPR 2018, Eq. 6 to 8",
        .defaults = with_settings(
            {{"gamma", defaults.gamma}, {"prototypes_per_class", static_cast<double>(defaults.prototypes_per_class)}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<Cpl>(
                    CplOptions{.classes = classes,
                               .dim = dim,
                               .prototypes_per_class = whole_number("Cpl", settings, "prototypes_per_class"),
                               .gamma = settings.at("gamma"),
                               .softmax = read(settings)});
            },
    };
}

LossInfo Cpl::generalised_info() {
    constexpr double lambda = 0.01;
    return with_term({.name = "g-cpl",
                      .formula = "cpl + lambda * mean over i of |x_i - W_{y_i}|^2",
                      .source = "Yang et al.: Convolutional Prototype Learning, CVPR 2018",
                      .defaults = {},
                      .make = {}},
                     info(), Compact::info(), lambda);
}

}  // namespace radial
