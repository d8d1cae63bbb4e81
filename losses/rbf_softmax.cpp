// RBF-Softmax: prototypes, the fused loss and its variants, and the registry entry.
#include "radial/losses/rbf_softmax.h"

#include "radial/core/distributed/communicator.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <cmath>

namespace radial {
namespace {

// The momentum of the running statistics of normalised features, as in the batch norms of networks.
constexpr double momentum = 0.1;
// The initial mean squared length of a prototype, in units of gamma, when features are normalised. The initial gradient
// of a feature is proportional to |W| exp(-|W|^2 / gamma), which is largest at this length.
constexpr double first_length = 0.5;

void check_options(const RbfSoftmaxOptions& options) {
    // Written so that the checks also fail for NaN.
    RADIAL_CHECK(options.scale > 0, "RbfSoftmax: scale is {}, expected above 0", options.scale);
    RADIAL_CHECK(options.gamma > 0, "RbfSoftmax: gamma is {}, expected above 0", options.gamma);
    RADIAL_CHECK(options.margin >= 0 && options.margin < 1, "RbfSoftmax: margin is {}, expected within [0, 1)",
                 options.margin);
    RADIAL_CHECK(options.reach >= 0, "RbfSoftmax: reach is {}, expected at least 0", options.reach);
    RADIAL_CHECK(options.spread > 0 && std::isfinite(options.spread), "RbfSoftmax: spread is {}, expected above 0",
                 options.spread);
    RADIAL_CHECK(options.prototypes_per_class >= 1, "RbfSoftmax: prototypes_per_class is {}, expected at least 1",
                 options.prototypes_per_class);
    RADIAL_CHECK(!options.learn_gamma || !options.per_class_gamma,
                 "RbfSoftmax: learn_gamma and per_class_gamma are both on, expected one of them");
}

}  // namespace

RbfSoftmax::RbfSoftmax(const RbfSoftmaxOptions& options)
    : SoftmaxLike("RbfSoftmax", options.classes, options.dim, options.softmax), options_(options) {
    check_options(options_);
    prototypes_ = register_parameter("prototypes",
                                     Tensor::empty({options_.classes * options_.prototypes_per_class, options_.dim}));
    if (options_.normalise) {
        const double bound = std::sqrt(3 * first_length * options_.gamma / static_cast<double>(options_.dim));
        uniform_(prototypes_, -bound, bound);
        running_mean_ = register_buffer("running_mean", Tensor::zeros({options_.dim}), BufferKind::statistic);
        running_variance_ =
            register_buffer("running_variance", Tensor::full({options_.dim}, 1.0), BufferKind::statistic);
        first_.emplace(register_buffer("started", Tensor::zeros({1}), BufferKind::state));
    } else {
        init::xavier_uniform_(prototypes_);
    }
    if (options_.learn_scale) log_scale_ = register_parameter("log_scale", Tensor::zeros({1}));
    if (options_.learn_gamma || options_.per_class_gamma)
        log_gamma_ = register_parameter("log_gamma", Tensor::zeros({options_.per_class_gamma ? options_.classes : 1}));
}

Tensor RbfSoftmax::forward(const Tensor& given, const Tensor& labels) {
    check_feature("RbfSoftmax", given, prototypes_);
    check_labels("RbfSoftmax", labels, given);
    Tensor feature = given;
    if (options_.normalise) feature = normalised(given, first_->begins(training()) ? 1 : momentum);
    if (options_.prototypes_per_class == 1 && options_.reach == 0) {
        RbfStatistics statistics;
        Tensor loss = rbf_softmax_loss(feature, prototypes_, labels,
                                       {.scale = options_.scale,
                                        .gamma = options_.gamma,
                                        .margin = options_.margin,
                                        .scale_factor = scale_factor(),
                                        .gamma_factor = gamma_factor()},
                                       head(prototypes_), &statistics);
        mean_kernel_ = statistics.mean_kernel;
        return loss;
    }
    const Tensor distances = nearest_distances(feature);
    const Tensor kernels = exp(-(distances / widths(pick(distances, labels))));
    {
        const NoGrad no_grad;
        mean_kernel_ = mean(pick(kernels.detach(), labels));
    }
    return margin_cross_entropy(kernels, labels,
                                {.scale = options_.scale, .cosine = options_.margin, .scale_factor = scale_factor()},
                                head(prototypes_));
}

std::vector<LossMetric> RbfSoftmax::metrics() const {
    if (!mean_kernel_.defined()) return {};
    return {{.name = "mean_kernel",
             .description = "Between each training feature and its own class's prototype: 1 where they coincide; near "
                            "0 no gradient flows.",
             .value = mean_kernel_}};
}

// The kernels for prediction, where the nearest class takes the place of the true class: [N, classes].
Tensor RbfSoftmax::class_kernels(const Tensor& feature) {
    const Tensor distances = nearest_distances(in_prototype_space(feature));
    return exp(-(distances / widths(-max(-distances, 1))));
}

Tensor RbfSoftmax::logits(const Tensor& feature) {
    const Tensor kernel = class_kernels(feature);
    return options_.scale * (log_scale_.defined() ? kernel * scale_factor() : kernel);
}

std::vector<LossScore> RbfSoftmax::scores(const Tensor& feature) {
    return {{.name = "kernel",
             .description = "The largest kernel of the classes: 1 on a prototype, near 0 far from all of them.",
             .values = max(class_kernels(feature), 1)}};
}

Tensor RbfSoftmax::in_prototype_space(const Tensor& feature) {
    check_feature("RbfSoftmax", feature, prototypes_);
    return options_.normalise ? normalised(feature, 0) : feature;
}

// The normalised feature. `new_weight` is the weight of the batch's statistics in the running statistics; 0 leaves the
// running statistics unchanged.
Tensor RbfSoftmax::normalised(const Tensor& feature, double new_weight) const {
    // Like the state of every loss, the statistics are computed over the samples of all ranks.
    Communicator* const ranks = training() ? batch_ranks() : nullptr;
    std::optional<OverRanks> over;
    if (ranks != nullptr) over.emplace(*ranks, OverRanksOptions{.batch_norm = true});
    RADIAL_CHECK(!training() || ranks != nullptr || feature.size(0) > 1,
                 "RbfSoftmax: a batch of {} sample{} cannot be normalised in training, expected 2 or more",
                 feature.size(0), feature.size(0) == 1 ? "" : "s");
    const DType dtype = prototypes_.dtype();
    const auto dim = static_cast<double>(options_.dim);
    const double length = options_.spread * std::sqrt(options_.gamma / dim);
    const Tensor scale = Tensor::full({options_.dim}, length, dtype, feature.device());
    const Tensor shift = Tensor::full({options_.dim}, 0, dtype, feature.device());
    return batch_norm(cast(feature, dtype), scale, shift, running_mean_, running_variance_,
                      {.momentum = new_weight, .training = training()});
}

// |x - W|^2 for the nearest prototype W of each class: [N, classes].
Tensor RbfSoftmax::nearest_distances(const Tensor& feature) const {
    const Tensor all = squared_distances(cast(feature, prototypes_.dtype()), prototypes_);
    const std::int64_t each = options_.prototypes_per_class;
    return each == 1 ? all : -max(-reshape(all, {feature.size(0), options_.classes, each}), 2);
}

// The divisor of the distances, which broadcasts to [N, classes]. `reached` [N] contains the distances that widen the
// kernel.
Tensor RbfSoftmax::widths(const Tensor& reached) const {
    const Tensor factor = gamma_factor();
    Tensor plain = factor.defined() ? options_.gamma * factor
                                    : Tensor::full({1}, options_.gamma, reached.dtype(), reached.device());
    if (options_.reach == 0) return plain;
    return reshape(reached, {reached.size(0), 1}) * (1 / options_.reach) + plain;
}

Tensor RbfSoftmax::scale_factor() const { return log_scale_.defined() ? exp(log_scale_) : Tensor(); }
Tensor RbfSoftmax::gamma_factor() const { return log_gamma_.defined() ? exp(log_gamma_) : Tensor(); }

LossInfo RbfSoftmax::info() {
    return loss_entry<RbfSoftmax, RbfSoftmaxOptions>(
        "rbf-softmax", "mean over i of -log softmax_j(scale * (exp(-|x_i - W_j|^2 / gamma) - margin * [j = y_i]))[y_i]",
        "Zhang, Zhao, Qiao, Li: RBF-Softmax, ECCV 2020, Eq. 3 and 4");
}

}  // namespace radial
