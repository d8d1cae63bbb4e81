// The focal loss over linear logits.
#include "radial/losses/focal.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"

#include <cmath>

namespace radial {

Focal::Focal(const FocalOptions& options)
    : SoftmaxLike("Focal", options.classes, options.dim, {}), gamma_(options.gamma) {
    RADIAL_CHECK(gamma_ >= 0 && std::isfinite(gamma_), "Focal: gamma is {}, expected a number of at least 0", gamma_);
    weight_ = register_parameter("weight", Tensor::empty({options.classes, options.dim}));
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0));
    if (!options.bias) return;
    bias_ = register_parameter("bias", Tensor::empty({options.classes}));
    const double bound = 1.0 / std::sqrt(static_cast<double>(options.dim));
    uniform_(bias_, -bound, bound);
}

Tensor Focal::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("Focal", feature, weight_);
    check_labels("Focal", labels, feature);
    return class_weighted_mean(focal_cross_entropy(logits(feature), labels, gamma_), labels,
                               head(weight_).class_weights);
}

Tensor Focal::logits(const Tensor& feature) {
    check_feature("Focal", feature, weight_);
    return linear(cast(feature, weight_.dtype()), weight_, bias_);
}

LossInfo Focal::info() {
    return loss_entry<Focal, FocalOptions>(
        "focal", "mean over i of -(1 - p_i)^gamma log p_i, p_i = softmax_j(W_j x_i + b_j)[y_i]",
        "Lin et al.: Focal Loss for Dense Object Detection, ICCV 2017, Eq. 5");
}

}  // namespace radial
