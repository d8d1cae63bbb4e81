// Means over a batch in which classes count differently.
#include "radial/losses/weighted_mean.h"

namespace radial {
namespace {

// Makes the mean 0 where no sample counts, and changes no other sum.
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

}  // namespace radial
