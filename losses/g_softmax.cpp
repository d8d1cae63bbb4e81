// GSoftmax: linear logits, the distribution function of each, and its entry in the registry.
#include "radial/losses/g_softmax.h"

#include "radial/core/tensor/random.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"

#include <cmath>

namespace radial {

GSoftmax::GSoftmax(const GSoftmaxOptions& options)
    : SoftmaxLike("GSoftmax", options.classes, options.dim, options.softmax), options_(options) {
    RADIAL_CHECK(options_.alpha >= 0 && std::isfinite(options_.alpha),
                 "GSoftmax: alpha is {}, expected a number of at least 0", options_.alpha);
    weight_ = register_parameter("weight", Tensor::empty({options_.classes, options_.dim}));
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0));
    bias_ = register_parameter("bias", Tensor::empty({options_.classes}));
    const double bound = 1.0 / std::sqrt(static_cast<double>(options_.dim));
    uniform_(bias_, -bound, bound);
    mean_ = register_parameter("mean", Tensor::zeros({options_.classes}));
    log_sigma_ = register_parameter("log_sigma", Tensor::zeros({options_.classes}));
}

Tensor GSoftmax::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("GSoftmax", feature, weight_);
    check_labels("GSoftmax", labels, feature);
    return cross_entropy(logits(feature), labels, head(weight_));
}

Tensor GSoftmax::logits(const Tensor& feature) {
    check_feature("GSoftmax", feature, weight_);
    const Tensor z = linear(cast(feature, weight_.dtype()), weight_, bias_);
    return z + options_.alpha * normal_cdf((z - mean_) * exp(-log_sigma_));
}

LossInfo GSoftmax::info() {
    return {
        .name = "g-softmax",
        .formula = "mean over i of -log softmax_j(z_j + alpha * Phi((z_j - mu_j) / sigma_j))[y_i], z = W x_i + b",
        .source = "Luo et al.: G-softmax, TNNLS 2019",
        .defaults = with_settings({{"alpha", GSoftmaxOptions{}.alpha}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<GSoftmax>(GSoftmaxOptions{
                    .classes = classes, .dim = dim, .alpha = settings.at("alpha"), .softmax = read(settings)});
            },
    };
}

}  // namespace radial
