// ProxyAnchor: proxies, the op on the cosines to them, and its entry in the registry.
#include "radial/losses/proxy_anchor.h"

#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"

#include <numeric>

namespace radial {

ProxyAnchor::ProxyAnchor(const ProxyAnchorOptions& options) : options_(options) {
    RADIAL_CHECK(options.classes >= 1 && options.dim >= 1, "ProxyAnchor: classes {} and dim {} must each be at least 1",
                 options.classes, options.dim);
    RADIAL_CHECK(options.alpha > 0, "ProxyAnchor: alpha is {}, expected above 0", options.alpha);
    proxies_ = register_parameter("proxies", Tensor::empty({options.classes, options.dim}));
    constexpr double he_gain = 1.4142135623730951;
    init::kaiming_normal_(proxies_, he_gain, init::Fan::out);
    std::vector<std::int64_t> classes(static_cast<std::size_t>(options.classes));
    std::iota(classes.begin(), classes.end(), 0);
    proxy_labels_ = Tensor::from(classes, {options.classes}, Device{});
}

Tensor ProxyAnchor::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("ProxyAnchor", feature, proxies_);
    check_labels("ProxyAnchor", labels, feature);
    // Kept where it was last wanted, so that a step copies nothing from the host.
    proxy_labels_ = proxy_labels_.to(labels.device());
    return proxy_anchor_loss(cosines(proxies_, cast(feature, proxies_.dtype())),
                             {.rows = proxy_labels_, .columns = labels, .classes = options_.classes},
                             {.alpha = options_.alpha, .delta = options_.delta});
}

Tensor ProxyAnchor::logits(const Tensor& feature) {
    check_feature("ProxyAnchor", feature, proxies_);
    return cosines(cast(feature, proxies_.dtype()), proxies_);
}

LossInfo ProxyAnchor::info() {
    const ProxyAnchorOptions defaults;
    return {
        .name = "proxy-anchor",
        .formula =
            "mean over the batch's classes of log(1 + sum over own samples of exp(-alpha (cos - delta))) + mean "
            "over all classes of log(1 + sum over other samples of exp(alpha (cos + delta)))",
        .source = "Kim et al.: Proxy Anchor Loss, CVPR 2020, Eq. 4",
        .defaults = {{"alpha", defaults.alpha}, {"delta", defaults.delta}},
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<ProxyAnchor>(ProxyAnchorOptions{
                    .classes = classes, .dim = dim, .alpha = settings.at("alpha"), .delta = settings.at("delta")});
            },
    };
}

}  // namespace radial
