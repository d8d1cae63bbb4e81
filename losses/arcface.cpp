// ArcFace: its margin, and its entry in the registry.
#include "radial/losses/arcface.h"

#include "radial/losses/functional.h"

namespace radial {

ArcFace::ArcFace(const ArcFaceOptions& options)
    : CosineHead("ArcFace", options.classes, options.dim, options.scale, options.softmax), margin_(options.margin) {
    RADIAL_CHECK(margin_ >= 0 && margin_ < 3.14159, "ArcFace: margin is {}, expected within [0, pi)", margin_);
}

Tensor ArcFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    return cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .angle = margin_}, head(weight()));
}

LossInfo ArcFace::info() {
    const ArcFaceOptions defaults;
    return {
        .name = "arcface",
        .formula =
            "mean over i of -log softmax_j(scale * cos(theta_ij + margin * [j = y_i]))[y_i], theta_ij the angle of x_i "
            "and W_j",
        .source = "Deng, Guo, Xue, Zafeiriou: ArcFace, CVPR 2019, Eq. 3",
        .defaults = with_settings({{"scale", defaults.scale}, {"margin", defaults.margin}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<ArcFace>(ArcFaceOptions{.classes = classes,
                                                                .dim = dim,
                                                                .scale = settings.at("scale"),
                                                                .margin = settings.at("margin"),
                                                                .softmax = read(settings)});
            },
    };
}

}  // namespace radial
