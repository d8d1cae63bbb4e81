// The losses over distances to prototypes: distances, likelihoods, and entries in the registry.
#include "radial/losses/distance_losses.h"

#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/regularisers.h"
#include "radial/losses/softmax.h"
#include "radial/losses/sum_loss.h"

#include <cmath>

namespace radial {

Cpl::Cpl(const CplOptions& options)
    : SoftmaxLike("Cpl", options.classes, options.dim, options.softmax), options_(options) {
    RADIAL_CHECK(options_.prototypes_per_class >= 1, "Cpl: prototypes_per_class is {}, expected at least 1",
                 options_.prototypes_per_class);
    RADIAL_CHECK(options_.gamma > 0, "Cpl: gamma is {}, expected above 0", options_.gamma);
    prototypes_ = register_parameter("prototypes",
                                     Tensor::empty({options_.classes * options_.prototypes_per_class, options_.dim}));
    init::xavier_uniform_(prototypes_);
}

Tensor Cpl::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("Cpl", feature, prototypes_);
    check_labels("Cpl", labels, feature);
    if (options_.prototypes_per_class > 1) return cross_entropy(logits(feature), labels, head(prototypes_));
    return distance_softmax_loss(feature, prototypes_, labels, {.gamma = options_.gamma}, head(prototypes_));
}

Tensor Cpl::logits(const Tensor& feature) {
    check_feature("Cpl", feature, prototypes_);
    const Tensor x = cast(feature, prototypes_.dtype());
    const Tensor each = squared_distances(x, prototypes_) * -options_.gamma;
    if (options_.prototypes_per_class == 1) return each;
    return log_sum_exp(reshape(each, {x.size(0), options_.classes, options_.prototypes_per_class}));
}

std::vector<LossScore> Cpl::scores(const Tensor& feature) {
    check_feature("Cpl", feature, prototypes_);
    return {nearest_score(squared_distances(cast(feature, prototypes_.dtype()), prototypes_))};
}

LossInfo Cpl::info() {
    return loss_entry<Cpl, CplOptions>(
        "cpl", "mean over i of -log sum_k softmax over (j, k) of (-gamma * |x_i - W_jk|^2)[y_i, k]",
        "Yang et al.: Convolutional Prototype Learning, CVPR 2018, Eq. 6 to 8");
}

LossInfo Cpl::generalised_info() {
    constexpr double lambda = 0.01;
    return with_term({.name = "g-cpl",
                      .formula = "cpl + lambda * mean over i of |x_i - W_{y_i}|^2",
                      .source = "Yang et al.: Convolutional Prototype Learning, CVPR 2018",
                      .options = {},
                      .make = {}},
                     info(), Compact::info(), lambda);
}

Lgm::Lgm(const LgmOptions& options)
    : SoftmaxLike("Lgm", options.classes, options.dim, options.softmax), options_(options) {
    RADIAL_CHECK(options_.alpha >= 0 && std::isfinite(options_.alpha),
                 "Lgm: alpha is {}, expected a number of at least 0", options_.alpha);
    RADIAL_CHECK(options_.lambda >= 0 && std::isfinite(options_.lambda),
                 "Lgm: lambda is {}, expected a number of at least 0", options_.lambda);
    means_ = register_parameter("means", Tensor::empty({options_.classes, options_.dim}));
    init::xavier_uniform_(means_);
    if (diagonal())
        log_variances_ = register_parameter("log_variances", Tensor::zeros({options_.classes, options_.dim}));
}

// The distances d_j for a diagonal covariance. Small problems use the differences x - mu. Larger ones use one product
// of [x^2, x] with [1/2 Lambda^-1, -Lambda^-1 mu], plus 1/2 mu^T Lambda^-1 mu, with everything taken relative to the
// mean of the means: far from the origin, the squares would be so large that their rounding errors hide the distances.
Tensor Lgm::distances(const Tensor& x) const {
    const Tensor precision = exp(-log_variances_);
    const std::int64_t batch = x.size(0), classes = options_.classes, dim = options_.dim;
    constexpr std::int64_t few = std::int64_t{1} << 18;
    if (batch * classes * dim <= few) {
        const Tensor difference = reshape(x, {batch, 1, dim}) - reshape(means_, {1, classes, dim});
        return 0.5 * sum(square(difference) * reshape(precision, {1, classes, dim}), {2});
    }
    const Tensor middle = mean(means_.detach(), {0}, true);
    const Tensor centred = x - middle, means = means_ - middle, pull = means * precision;
    return linear(concat({square(centred), centred}, 1), concat({0.5 * precision, -pull}, 1),
                  0.5 * sum(means * pull, {1}));
}

// -1/2 log|Lambda_j|: [classes].
Tensor Lgm::normalisers() const { return -0.5 * sum(log_variances_, {1}); }

// Mean of d_y + 1/2 log|Lambda_y|.
Tensor Lgm::negative_likelihood(const Tensor& x, const Tensor& labels, const Tensor& class_weights) const {
    const Tensor squares = square(x - gather_rows(means_, labels));
    if (!diagonal()) return 0.5 * class_weighted_mean(sum(squares, {1}), labels, class_weights);
    const Tensor own = gather_rows(log_variances_, labels);
    return 0.5 * class_weighted_mean(sum(squares * exp(-own) + own, {1}), labels, class_weights);
}

Tensor Lgm::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("Lgm", feature, means_);
    check_labels("Lgm", labels, feature);
    const Tensor x = cast(feature, means_.dtype());
    const Tensor loss =
        diagonal() ? distance_cross_entropy(distances(x), labels,
                                            {.gamma = 1, .margin = options_.alpha, .bias = normalisers()}, head(means_))
                   : distance_softmax_loss(x, means_, labels, {.gamma = 0.5, .margin = options_.alpha}, head(means_));
    if (options_.lambda == 0) return loss;
    return loss + options_.lambda * negative_likelihood(x, labels, head(means_).class_weights);
}

Tensor Lgm::logits(const Tensor& feature) {
    check_feature("Lgm", feature, means_);
    const Tensor x = cast(feature, means_.dtype());
    return diagonal() ? normalisers() - distances(x) : -0.5 * squared_distances(x, means_);
}

std::vector<LossScore> Lgm::scores(const Tensor& feature) {
    return {{.name = "likelihood",
             .description = "The largest logarithm of a class's Gaussian density, up to a constant.",
             .values = max(logits(feature), 1)}};
}

LossInfo Lgm::info() {
    return loss_entry<Lgm, LgmOptions>(
        "lgm",
        "mean over i of -log softmax_j(-(1 + alpha [j = y_i]) d_j - log|S_j| / 2)[y_i] + lambda (d_y + log|S_y| "
        "/ 2), d_j = (x_i - m_j)' S_j^-1 (x_i - m_j) / 2; S_j the identity, or diagonal and learned",
        "Wan et al.: Rethinking Feature Distribution for Loss Functions, CVPR 2018, Eq. 13 and 18");
}

}  // namespace radial
