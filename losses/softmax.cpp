// Softmax over classes: the base's checks and options, means weighted by class, and the losses over linear logits.
#include "radial/losses/softmax.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <cmath>

namespace radial {
namespace {

// Added to the sum of the weights: makes the mean 0 if all weights are 0, and is too small to change any other sum.
constexpr double below_all = 1e-30;

// The weight of each sample's class: [N].
Tensor sample_weights(const Tensor& labels, const Tensor& class_weights) {
    return reshape(gather_rows(reshape(class_weights, {class_weights.numel(), 1}), labels), {labels.numel()});
}

}  // namespace

Tensor class_weighted_mean(const Tensor& each, const Tensor& labels, const Tensor& class_weights) {
    if (!class_weights.defined()) return mean(each);
    const Tensor weights = sample_weights(labels, class_weights);
    return sum(each * weights) / (sum(weights) + below_all);
}

Tensor normalised_cross_entropy(const Tensor& logits, const Tensor& normaliser, const Tensor& labels,
                                const HeadOptions& options) {
    const Tensor own = normaliser - pick(logits, labels);
    Tensor loss = class_weighted_mean(own, labels, options.class_weights);
    if (options.smoothing == 0) return loss;
    // The part of the target that is spread over all classes.
    Tensor each = reshape(normaliser, {normaliser.numel(), 1}) - logits, spread;
    if (options.class_weights.defined()) {
        each = each * options.class_weights;
        spread = sum(mean(each, {1})) / (sum(sample_weights(labels, options.class_weights)) + below_all);
    } else {
        spread = mean(each);
    }
    return (1 - options.smoothing) * loss + options.smoothing * spread;
}

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
    return loss_entry<Softmax, SoftmaxOptions>("softmax", "mean over i of -log softmax_j(W_j x_i + b_j)[y_i]",
                                               "Bridle 1990; Zhang et al., RBF-Softmax, ECCV 2020, Eq. 1");
}

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
    return loss_entry<GSoftmax, GSoftmaxOptions>(
        "g-softmax", "mean over i of -log softmax_j(z_j + alpha * Phi((z_j - mu_j) / sigma_j))[y_i], z = W x_i + b",
        "Luo et al.: G-softmax, TNNLS 2019");
}

}  // namespace radial
