// SphereFace: the annealed margin, and its entry in the registry.
#include "radial/losses/sphereface.h"

#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"
#include "radial/losses/with_term.h"

#include <limits>

namespace radial {

SphereFace::SphereFace(const SphereFaceOptions& options)
    : CosineHead("SphereFace", options.classes, options.dim, 1.0, options.softmax), options_(options) {
    RADIAL_CHECK(options.multiple >= 1, "SphereFace: multiple is {}, expected at least 1", options.multiple);
    RADIAL_CHECK(options.lambda_base >= 0 && options.lambda_decay >= 0 && options.lambda_min >= 0,
                 "SphereFace: lambda_base {}, lambda_decay {} and lambda_min {} must each be at least 0",
                 options.lambda_base, options.lambda_decay, options.lambda_min);
    forwards_ = register_buffer("forwards", Tensor::zeros({1}), BufferKind::state);
}

Tensor SphereFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    Tensor lambda;
    {
        const NoGrad no_grad;
        if (training()) forwards_.copy_(forwards_ + 1.0);
        const Tensor divisor = forwards_ * options_.lambda_decay + 1.0;
        const Tensor annealed = Tensor::full({1}, options_.lambda_base, divisor.dtype(), divisor.device()) / divisor;
        lambda = clamp(annealed, options_.lambda_min, std::numeric_limits<double>::infinity());
    }
    return cosine_softmax_loss(feature, weight(), labels,
                               {.scale = 1,
                                .multiple = static_cast<int>(options_.multiple),
                                .scale_factor = row_norms(feature),
                                .blend = lambda},
                               head(weight()));
}

Tensor SphereFace::logits(const Tensor& feature) {
    check_feature("SphereFace", feature, weight());
    return linear(cast(feature, weight().dtype()), unit_rows(weight()));
}

LossInfo SphereFace::info() {
    const SphereFaceOptions defaults;
    return {
        .name = "sphereface",
        .formula =
            "mean over i of -log softmax_j(|x_i| * (cos theta_ij, or for j = y_i psi(theta_ij) blended with it))[y_i]",
        .source = "Liu et al.: SphereFace, CVPR 2017, Eq. 7",
        .defaults = with_settings({{"multiple", static_cast<double>(defaults.multiple)},
                                   {"lambda_base", defaults.lambda_base},
                                   {"lambda_decay", defaults.lambda_decay},
                                   {"lambda_min", defaults.lambda_min}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<SphereFace>(
                    SphereFaceOptions{.classes = classes,
                                      .dim = dim,
                                      .multiple = whole_number("SphereFace", settings, "multiple"),
                                      .lambda_base = settings.at("lambda_base"),
                                      .lambda_decay = settings.at("lambda_decay"),
                                      .lambda_min = settings.at("lambda_min"),
                                      .softmax = read(settings)});
            },
    };
}

}  // namespace radial
