// Sub-centre ArcFace: the nearest centres, and its entry in the registry.
#include "radial/losses/subcenter_arcface.h"

#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"
#include "radial/losses/with_term.h"

namespace radial {

SubcenterArcFace::SubcenterArcFace(const SubcenterArcFaceOptions& options)
    : CosineHead("SubcenterArcFace", options.classes, options.dim, options.scale, options.softmax, options.centers),
      options_(options) {
    RADIAL_CHECK(options.margin >= 0 && options.margin < 3.14159,
                 "SubcenterArcFace: margin is {}, expected within [0, pi)", options.margin);
}

Tensor SubcenterArcFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    return margin_cross_entropy(nearest_cosines(feature), labels, {.scale = scale(), .angle = options_.margin},
                                head(weight()));
}

Tensor SubcenterArcFace::logits(const Tensor& feature) {
    check_feature("SubcenterArcFace", feature, weight());
    return nearest_cosines(feature) * scale();
}

Tensor SubcenterArcFace::nearest_cosines(const Tensor& feature) const {
    return max(reshape(all_cosines(feature), {feature.size(0), options_.classes, options_.centers}), 2);
}

LossInfo SubcenterArcFace::info() {
    const SubcenterArcFaceOptions defaults;
    return {
        .name = "subcenter-arcface",
        .formula = "arcface over the largest of the cosines to each class's centers",
        .source = "Deng, Guo, Liu, Gong, Zafeiriou: Sub-center ArcFace, ECCV 2020, Eq. 2 and 3",
        .defaults = with_settings({{"scale", defaults.scale},
                                   {"margin", defaults.margin},
                                   {"centers", static_cast<double>(defaults.centers)}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<SubcenterArcFace>(
                    SubcenterArcFaceOptions{.classes = classes,
                                            .dim = dim,
                                            .centers = whole_number("SubcenterArcFace", settings, "centers"),
                                            .scale = settings.at("scale"),
                                            .margin = settings.at("margin"),
                                            .softmax = read(settings)});
            },
    };
}

}  // namespace radial
