// NormFace: the learned scale, and its entry in the registry.
#include "radial/losses/normface.h"

#include "radial/losses/functional.h"

namespace radial {

NormFace::NormFace(const NormFaceOptions& options)
    : CosineHead("NormFace", options.classes, options.dim, options.scale, options.softmax) {
    if (options.learn_scale) log_scale_ = register_parameter("log_scale", Tensor::zeros({1}));
}

Tensor NormFace::scale_factor() const { return log_scale_.defined() ? exp(log_scale_) : Tensor(); }

Tensor NormFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    return cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .scale_factor = scale_factor()},
                               head(weight()));
}

LossInfo NormFace::info() {
    const NormFaceOptions defaults;
    return {
        .name = "normface",
        .formula = "mean over i of -log softmax_j(scale * cos(x_i, W_j))[y_i], scale learned",
        .source = "Wang, Xiang, Cheng, Yuille: NormFace, ACM MM 2017, Eq. 6",
        .defaults = with_settings({{"scale", defaults.scale}, {"learn_scale", 1}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<NormFace>(NormFaceOptions{.classes = classes,
                                                                  .dim = dim,
                                                                  .scale = settings.at("scale"),
                                                                  .learn_scale = settings.at("learn_scale") != 0,
                                                                  .softmax = read(settings)});
            },
    };
}

}  // namespace radial
