// CosSoftmax: the rule for its scale, the fused loss, and its entry in the registry.
#include "radial/losses/cos_softmax.h"

#include "radial/core/tensor/random.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"

#include <cmath>

namespace radial {
namespace {

double scale_of(const CosSoftmaxOptions& options) {
    RADIAL_CHECK(options.scale >= 0 && std::isfinite(options.scale),
                 "CosSoftmax: scale is {}, expected above 0, or 0 for the rule", options.scale);
    if (options.scale > 0) return options.scale;
    RADIAL_CHECK(options.classes >= 2, "CosSoftmax: the rule for the scale expects at least 2 classes, not {}",
                 options.classes);
    RADIAL_CHECK(options.epsilon > 0 && options.epsilon <= 1, "CosSoftmax: epsilon is {}, expected in (0, 1]",
                 options.epsilon);
    // The first term is what reaches epsilon at cosines of 1 and -1; the rest is the paper's allowance.
    constexpr double allowance = 3;
    return 0.5 * std::log(static_cast<double>(options.classes - 1) / options.epsilon) + allowance;
}

}  // namespace

CosSoftmax::CosSoftmax(const CosSoftmaxOptions& options)
    : SoftmaxLike("CosSoftmax", options.classes, options.dim, options.softmax), scale_(scale_of(options)) {
    weight_ = register_parameter("weight", Tensor::empty({options.classes, options.dim}));
    init::xavier_uniform_(weight_);
}

Tensor CosSoftmax::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("CosSoftmax", feature, weight_);
    check_labels("CosSoftmax", labels, feature);
    return cosine_softmax_loss(feature, weight_, labels, {.scale = scale_}, head(weight_));
}

Tensor CosSoftmax::logits(const Tensor& feature) {
    check_feature("CosSoftmax", feature, weight_);
    return cosines(cast(feature, weight_.dtype()), weight_) * scale_;
}

LossInfo CosSoftmax::info() {
    const CosSoftmaxOptions defaults;
    return {
        .name = "cos-softmax",
        .formula = "mean over i of -log softmax_j(scale * cos(x_i, W_j))[y_i]; scale 0: log((C - 1) / epsilon) / 2 + 3",
        .source = "Liu, Li, Wang: Rethinking Feature Discrimination and Polymerization (COCO), 2017",
        .defaults = with_settings({{"scale", defaults.scale}, {"epsilon", defaults.epsilon}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<CosSoftmax>(CosSoftmaxOptions{.classes = classes,
                                                                      .dim = dim,
                                                                      .scale = settings.at("scale"),
                                                                      .epsilon = settings.at("epsilon"),
                                                                      .softmax = read(settings)});
            },
    };
}

}  // namespace radial
