// Softmax: class weights, the fused loss, and its entry in the registry.
#include "radial/losses/softmax.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"

#include <cmath>

namespace radial {

Softmax::Softmax(const SoftmaxOptions& options)
    : SoftmaxLike("Softmax", options.classes, options.dim, options.softmax) {
    weight_ = register_parameter("weight", Tensor::empty({options.classes, options.dim}));
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0));
    if (!options.bias) return;
    bias_ = register_parameter("bias", Tensor::empty({options.classes}));
    const double bound = 1.0 / std::sqrt(static_cast<double>(options.dim));
    uniform_(bias_, -bound, bound);
}

Tensor Softmax::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("Softmax", feature, weight_);
    check_labels("Softmax", labels, feature);
    return softmax_loss(feature, weight_, bias_, labels, head(weight_));
}

Tensor Softmax::logits(const Tensor& feature) {
    check_feature("Softmax", feature, weight_);
    return linear(feature, weight_, bias_);
}

LossInfo Softmax::info() {
    const SoftmaxOptions defaults;
    return {
        .name = "softmax",
        .formula = "mean over i of -log softmax_j(W_j x_i + b_j)[y_i]",
        .source = "Bridle 1990; Zhang et al., RBF-Softmax, ECCV 2020, Eq. 1",
        .defaults = with_settings({{"bias", defaults.bias ? 1.0 : 0.0}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<Softmax>(SoftmaxOptions{
                    .classes = classes, .dim = dim, .bias = settings.at("bias") != 0, .softmax = read(settings)});
            },
    };
}

}  // namespace radial
