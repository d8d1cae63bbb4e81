// CosFace: its margin, and its entry in the registry.
#include "radial/losses/cosface.h"

#include "radial/losses/functional.h"

namespace radial {

CosFace::CosFace(const CosFaceOptions& options)
    : CosineHead("CosFace", options.classes, options.dim, options.scale, options.softmax), margin_(options.margin) {
    RADIAL_CHECK(margin_ >= 0 && margin_ <= 2, "CosFace: margin is {}, expected within [0, 2]", margin_);
}

Tensor CosFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    return cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .cosine = margin_}, head(weight()));
}

LossInfo CosFace::info() {
    const CosFaceOptions defaults;
    return {
        .name = "cosface",
        .formula = "mean over i of -log softmax_j(scale * (cos(x_i, W_j) - margin * [j = y_i]))[y_i]",
        .source = "Wang et al.: CosFace, CVPR 2018, Eq. 4",
        .defaults = with_settings({{"scale", defaults.scale}, {"margin", defaults.margin}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<CosFace>(CosFaceOptions{.classes = classes,
                                                                .dim = dim,
                                                                .scale = settings.at("scale"),
                                                                .margin = settings.at("margin"),
                                                                .softmax = read(settings)});
            },
    };
}

}  // namespace radial
