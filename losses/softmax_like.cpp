// SoftmaxLike: checks, and the class weights on the device where they are wanted.
#include "radial/losses/softmax_like.h"

#include <algorithm>
#include <cmath>

namespace radial {

SoftmaxLike::SoftmaxLike(std::string_view loss, std::int64_t classes, std::int64_t dim,
                         const SoftmaxLikeOptions& options)
    : name_(loss), classes_(classes), options_(options) {
    RADIAL_CHECK(classes >= 1 && dim >= 1, "{}: classes {} and dim {} must each be at least 1", loss, classes, dim);
    RADIAL_CHECK(options.smoothing >= 0 && options.smoothing <= 1, "{}: smoothing is {}, expected within [0, 1]", loss,
                 options.smoothing);
}

void SoftmaxLike::set_class_weights(const std::vector<double>& weights) {
    class_weights_ = {};
    if (weights.empty()) return;
    RADIAL_CHECK(static_cast<std::int64_t>(weights.size()) == classes_, "{}: {} class weights, expected {}", name_,
                 weights.size(), classes_);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        RADIAL_CHECK(weights[i] >= 0 && std::isfinite(weights[i]),
                     "{}: the weight of class {} is {}, expected a number of at least 0", name_, i, weights[i]);
    }
    RADIAL_CHECK(std::ranges::any_of(weights, [](double w) { return w > 0; }), "{}: every class weight is 0", name_);
    class_weights_ = Tensor::from(weights, {classes_}, Device{});
}

HeadOptions SoftmaxLike::head(const Tensor& like) {
    // Kept where it was last wanted, so that a step copies nothing from the host.
    if (class_weights_.defined()) class_weights_ = class_weights_.to(like.dtype()).to(like.device());
    return {.smoothing = options_.smoothing, .class_weights = class_weights_, .recompute = options_.recompute};
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
