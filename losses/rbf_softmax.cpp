// RBF-Softmax: prototypes, the fused loss, and its entry in the registry.
#include "radial/losses/rbf_softmax.h"

#include "radial/core/ops.h"
#include "radial/core/random.h"
#include "radial/losses/feature_check.h"

namespace radial {

RbfSoftmax::RbfSoftmax(const RbfSoftmaxOptions& options) : options_(options) {
    RADIAL_CHECK(options_.classes >= 1 && options_.dim >= 1,
                 "RbfSoftmax: classes {} and dim {} must each be at least 1", options_.classes, options_.dim);
    // Written so that NaN fails too.
    RADIAL_CHECK(options_.scale > 0, "RbfSoftmax: scale is {}, expected above 0", options_.scale);
    RADIAL_CHECK(options_.gamma > 0, "RbfSoftmax: gamma is {}, expected above 0", options_.gamma);
    prototypes_ = register_parameter("prototypes", Tensor::empty({options_.classes, options_.dim}));
    init::xavier_uniform_(prototypes_);
}

Tensor RbfSoftmax::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("RbfSoftmax", feature, prototypes_);
    check_labels("RbfSoftmax", labels, feature);
    RbfStatistics statistics;
    Tensor loss = rbf_softmax_loss(feature, prototypes_, labels, options_.scale, options_.gamma, &statistics);
    mean_kernel_ = statistics.mean_kernel;
    return loss;
}

Tensor RbfSoftmax::logits(const Tensor& feature) {
    check_feature("RbfSoftmax", feature, prototypes_);
    return rbf_logits(feature, prototypes_, options_.scale, options_.gamma);
}

LossInfo RbfSoftmax::info() {
    const RbfSoftmaxOptions defaults;
    return {
        .name = "rbf-softmax",
        .formula = "mean over i of -log softmax_j(scale * exp(-|x_i - W_j|^2 / gamma))[y_i]",
        .source = "Zhang, Zhao, Qiao, Li: RBF-Softmax, ECCV 2020, Eq. 3 and 4",
        .defaults = {{"scale", defaults.scale}, {"gamma", defaults.gamma}},
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<RbfSoftmax>(RbfSoftmaxOptions{
                    .classes = classes, .dim = dim, .scale = settings.at("scale"), .gamma = settings.at("gamma")});
            },
    };
}

}  // namespace radial
