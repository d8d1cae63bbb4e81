// MagFace: margins and regulariser from the features' lengths, and its entry in the registry.
#include "radial/losses/magface.h"

#include "radial/losses/functional.h"
#include "radial/losses/weighted_mean.h"

namespace radial {

MagFace::MagFace(const MagFaceOptions& options)
    : CosineHead("MagFace", options.classes, options.dim, options.scale, options.softmax), options_(options) {
    RADIAL_CHECK(options.lower_length > 0 && options.upper_length > options.lower_length,
                 "MagFace: lengths from {} to {}, expected above 0 and rising", options.lower_length,
                 options.upper_length);
    RADIAL_CHECK(
        options.lower_margin >= 0 && options.upper_margin >= options.lower_margin && options.upper_margin < 3.14159,
        "MagFace: margins from {} to {}, expected within [0, pi) and not falling", options.lower_margin,
        options.upper_margin);
    RADIAL_CHECK(options.lambda >= 0, "MagFace: lambda is {}, expected at least 0", options.lambda);
}

Tensor MagFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    const double low = options_.lower_length, high = options_.upper_length;
    const Tensor length = row_norms(feature);
    const Tensor kept = clamp(length, low, high);
    const double slope = (options_.upper_margin - options_.lower_margin) / (high - low);
    const Tensor margins = (kept - low) * slope + options_.lower_margin;
    const Tensor loss =
        cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .sample_angle = margins}, head(weight()));
    const Tensor one = Tensor::full({1}, 1.0, kept.dtype(), kept.device());
    const Tensor regulariser = kept * (1 / (high * high)) + one / kept;
    return loss + options_.lambda * class_weighted_mean(regulariser, labels, head(weight()).class_weights);
}

LossInfo MagFace::info() {
    const MagFaceOptions defaults;
    return {
        .name = "magface",
        .formula = "arcface with the margin m(|x_i|) + lambda * mean over i of (|x_i| / upper_length^2 + 1 / |x_i|)",
        .source = "Meng, Zhao, Huang, Zhou: MagFace, CVPR 2021, Eq. 4",
        .defaults = with_settings({{"scale", defaults.scale},
                                   {"lower_length", defaults.lower_length},
                                   {"upper_length", defaults.upper_length},
                                   {"lower_margin", defaults.lower_margin},
                                   {"upper_margin", defaults.upper_margin},
                                   {"lambda", defaults.lambda}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<MagFace>(MagFaceOptions{.classes = classes,
                                                                .dim = dim,
                                                                .scale = settings.at("scale"),
                                                                .lower_length = settings.at("lower_length"),
                                                                .upper_length = settings.at("upper_length"),
                                                                .lower_margin = settings.at("lower_margin"),
                                                                .upper_margin = settings.at("upper_margin"),
                                                                .lambda = settings.at("lambda"),
                                                                .softmax = read(settings)});
            },
    };
}

}  // namespace radial
