// ProxyNca: distances to the proxies, with or without the own one below the fraction, and its entry in the registry.
#include "radial/losses/proxy_nca.h"

#include "radial/core/tensor/random.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"
#include "radial/losses/weighted_mean.h"

#include <limits>

namespace radial {

ProxyNca::ProxyNca(const ProxyNcaOptions& options)
    : SoftmaxLike("ProxyNca", options.classes, options.dim, options.softmax), options_(options) {
    RADIAL_CHECK(options_.classes >= 2, "ProxyNca: classes is {}, expected at least 2", options_.classes);
    RADIAL_CHECK(options_.scale > 0, "ProxyNca: scale is {}, expected above 0", options_.scale);
    proxies_ = register_parameter("proxies", Tensor::empty({options_.classes, options_.dim}));
    init::xavier_uniform_(proxies_);
}

// Distances, not 2 - 2 cos, which has no digits left for vectors of nearly one direction.
Tensor ProxyNca::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("ProxyNca", feature, proxies_);
    check_labels("ProxyNca", labels, feature);
    const Tensor x = unit_rows(cast(feature, proxies_.dtype())), proxies = unit_rows(proxies_);
    if (options_.own_in_denominator)
        return distance_softmax_loss(x, proxies, labels, {.gamma = options_.scale}, head(proxies_));
    const Tensor z = squared_distances(x, proxies) * -options_.scale;
    const Tensor nothing = Tensor::full({z.size(0)}, -std::numeric_limits<double>::infinity(), z.dtype(), z.device());
    const Tensor others = log_sum_exp(z + place(nothing, labels, options_.classes));
    return normalised_cross_entropy(z, others, labels, head(z));
}

Tensor ProxyNca::logits(const Tensor& feature) {
    check_feature("ProxyNca", feature, proxies_);
    return squared_distances(unit_rows(cast(feature, proxies_.dtype())), unit_rows(proxies_)) * -options_.scale;
}

LossInfo ProxyNca::info() {
    const ProxyNcaOptions defaults;
    return {
        .name = "proxy-nca",
        .formula =
            "mean over i of -log(exp(-scale d_{y_i}) / sum_{j != y_i} exp(-scale d_j)), d_j = |x_i - p_j|^2 of unit "
            "vectors",
        .source = "Movshovitz-Attias et al.: No Fuss Distance Metric Learning using Proxies, ICCV 2017",
        .defaults =
            with_settings({{"scale", defaults.scale}, {"own_in_denominator", defaults.own_in_denominator ? 1 : 0}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<ProxyNca>(
                    ProxyNcaOptions{.classes = classes,
                                    .dim = dim,
                                    .scale = settings.at("scale"),
                                    .own_in_denominator = settings.at("own_in_denominator") != 0,
                                    .softmax = read(settings)});
            },
    };
}

}  // namespace radial
