// CurricularFace: the running t, and its entry in the registry.
#include "radial/losses/curricularface.h"

#include "radial/core/distributed/over_ranks.h"
#include "radial/losses/functional.h"

namespace radial {

CurricularFace::CurricularFace(const CurricularFaceOptions& options)
    : CosineHead("CurricularFace", options.classes, options.dim, options.scale, options.softmax), options_(options) {
    RADIAL_CHECK(options.margin >= 0 && options.margin < 3.14159,
                 "CurricularFace: margin is {}, expected within [0, pi)", options.margin);
    RADIAL_CHECK(options.momentum >= 0 && options.momentum <= 1,
                 "CurricularFace: momentum is {}, expected within [0, 1]", options.momentum);
    t_ = register_buffer("t", Tensor::zeros({1}), BufferKind::statistic);
}

Tensor CurricularFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    if (training()) {
        const NoGrad no_grad;
        const Tensor own = rows_of_all_ranks(own_cosines(feature, labels));
        t_.copy_(t_ * options_.momentum + (1 - options_.momentum) * mean(own));
    }
    return cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .angle = options_.margin, .hardness = t_},
                               head(weight()));
}

LossInfo CurricularFace::info() {
    const CurricularFaceOptions defaults;
    return {
        .name = "curricularface",
        .formula = "arcface, with scale * c_ij * (t + c_ij) for the other classes of c_ij > cos(theta_iy + margin)",
        .source = "Huang et al.: CurricularFace, CVPR 2020, Eq. 6 to 10",
        .defaults =
            with_settings({{"scale", defaults.scale}, {"margin", defaults.margin}, {"momentum", defaults.momentum}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<CurricularFace>(CurricularFaceOptions{.classes = classes,
                                                                              .dim = dim,
                                                                              .scale = settings.at("scale"),
                                                                              .margin = settings.at("margin"),
                                                                              .momentum = settings.at("momentum"),
                                                                              .softmax = read(settings)});
            },
    };
}

}  // namespace radial
