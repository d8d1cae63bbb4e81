// SoftmaxLike: checks, and the options that its ops take.
#include "radial/losses/softmax_like.h"

namespace radial {

SoftmaxLike::SoftmaxLike(std::string_view loss, std::int64_t classes, std::int64_t dim,
                         const SoftmaxLikeOptions& options)
    : name_(loss), classes_(classes), options_(options) {
    RADIAL_CHECK(classes >= 1 && dim >= 1, "{}: classes {} and dim {} must each be at least 1", loss, classes, dim);
    RADIAL_CHECK(options.smoothing >= 0 && options.smoothing <= 1, "{}: smoothing is {}, expected within [0, 1]", loss,
                 options.smoothing);
}

HeadOptions SoftmaxLike::head(const Tensor& like) {
    return {
        .smoothing = options_.smoothing, .class_weights = class_weights_.like(like), .recompute = options_.recompute};
}

LossSettings SoftmaxLike::with_settings(LossSettings own) {
    const SoftmaxLikeOptions defaults;
    own["smoothing"] = defaults.smoothing;
    own["recompute"] = defaults.recompute ? 1 : 0;
    return own;
}

SoftmaxLikeOptions SoftmaxLike::read(const LossSettings& settings) {
    return {.smoothing = settings.at("smoothing"), .recompute = settings.at("recompute") != 0};
}

}  // namespace radial
