// RBF-Softmax: prototypes, the fused loss and its variants, and its entry in the registry.
#include "radial/losses/rbf_softmax.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

namespace radial {
namespace {

void check_options(const RbfSoftmaxOptions& options) {
    // Written so that NaN fails too.
    RADIAL_CHECK(options.scale > 0, "RbfSoftmax: scale is {}, expected above 0", options.scale);
    RADIAL_CHECK(options.gamma > 0, "RbfSoftmax: gamma is {}, expected above 0", options.gamma);
    RADIAL_CHECK(options.margin >= 0 && options.margin < 1, "RbfSoftmax: margin is {}, expected within [0, 1)",
                 options.margin);
    RADIAL_CHECK(options.reach >= 0, "RbfSoftmax: reach is {}, expected at least 0", options.reach);
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
    init::xavier_uniform_(prototypes_);
    if (options_.learn_scale) log_scale_ = register_parameter("log_scale", Tensor::zeros({1}));
    if (options_.learn_gamma || options_.per_class_gamma)
        log_gamma_ = register_parameter("log_gamma", Tensor::zeros({options_.per_class_gamma ? options_.classes : 1}));
}

Tensor RbfSoftmax::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("RbfSoftmax", feature, prototypes_);
    check_labels("RbfSoftmax", labels, feature);
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

Tensor RbfSoftmax::logits(const Tensor& feature) {
    check_feature("RbfSoftmax", feature, prototypes_);
    const Tensor distances = nearest_distances(feature);
    const Tensor kernels = exp(-(distances / widths(-max(-distances, 1))));
    return options_.scale * (log_scale_.defined() ? kernels * scale_factor() : kernels);
}

// |x - W|^2 to the nearest prototype of each class: [N, classes].
Tensor RbfSoftmax::nearest_distances(const Tensor& feature) const {
    const Tensor all = squared_distances(cast(feature, prototypes_.dtype()), prototypes_);
    const std::int64_t each = options_.prototypes_per_class;
    return each == 1 ? all : -max(-reshape(all, {feature.size(0), options_.classes, each}), 2);
}

// What distances are divided by, as it broadcasts to [N, classes]. `reached` [N]: the distances that widen the kernel.
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
    const RbfSoftmaxOptions defaults;
    return {
        .name = "rbf-softmax",
        .formula = "mean over i of -log softmax_j(scale * (exp(-|x_i - W_j|^2 / gamma) - margin * [j = y_i]))[y_i]",
        .source = "Zhang, Zhao, Qiao, Li: RBF-Softmax, ECCV 2020, Eq. 3 and 4",
        .defaults = with_settings({{"scale", defaults.scale},
                                   {"gamma", defaults.gamma},
                                   {"margin", defaults.margin},
                                   {"learn_scale", 0},
                                   {"learn_gamma", 0},
                                   {"per_class_gamma", 0},
                                   {"prototypes_per_class", static_cast<double>(defaults.prototypes_per_class)},
                                   {"reach", defaults.reach}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<RbfSoftmax>(RbfSoftmaxOptions{
                    .classes = classes,
                    .dim = dim,
                    .scale = settings.at("scale"),
                    .gamma = settings.at("gamma"),
                    .margin = settings.at("margin"),
                    .learn_scale = settings.at("learn_scale") != 0,
                    .learn_gamma = settings.at("learn_gamma") != 0,
                    .per_class_gamma = settings.at("per_class_gamma") != 0,
                    .prototypes_per_class = whole_number("RbfSoftmax", settings, "prototypes_per_class"),
                    .reach = settings.at("reach"),
                    .softmax = read(settings)});
            },
    };
}

}  // namespace radial
