// The proxy losses: learned class vectors, similarities to them, and registry entries.
#include "radial/losses/proxy_losses.h"

#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/softmax.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace radial {

ProxyNca::ProxyNca(const ProxyNcaOptions& options)
    : SoftmaxLike("ProxyNca", options.classes, options.dim, options.softmax), options_(options) {
    RADIAL_CHECK(options_.classes >= 2, "ProxyNca: classes is {}, expected at least 2", options_.classes);
    RADIAL_CHECK(options_.scale > 0, "ProxyNca: scale is {}, expected above 0", options_.scale);
    proxies_ = register_parameter("proxies", Tensor::empty({options_.classes, options_.dim}));
    init::xavier_uniform_(proxies_);
}

// Computes distances instead of 2 - 2 cos, which loses all precision for vectors of nearly the same direction.
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

std::vector<LossScore> ProxyNca::scores(const Tensor& feature) {
    check_feature("ProxyNca", feature, proxies_);
    return {nearest_score(squared_distances(unit_rows(cast(feature, proxies_.dtype())), unit_rows(proxies_)))};
}

LossInfo ProxyNca::info() {
    return loss_entry<ProxyNca, ProxyNcaOptions>(
        "proxy-nca",
        "mean over i of -log(exp(-scale d_{y_i}) / sum_{j != y_i} exp(-scale d_j)), d_j = |x_i - p_j|^2 of unit "
        "vectors",
        "Movshovitz-Attias et al.: No Fuss Distance Metric Learning using Proxies, ICCV 2017");
}

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
    // Kept on the device of the last batch, so that a step copies nothing from the host.
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
    return loss_entry<ProxyAnchor, ProxyAnchorOptions>(
        "proxy-anchor",
        "mean over the batch's classes of log(1 + sum over own samples of exp(-alpha (cos - delta))) + mean "
        "over all classes of log(1 + sum over other samples of exp(alpha (cos + delta)))",
        "Kim et al.: Proxy Anchor Loss, CVPR 2020, Eq. 4");
}

SoftTriple::SoftTriple(const SoftTripleOptions& options)
    : SoftmaxLike("SoftTriple", options.classes, options.dim, options.softmax), options_(options) {
    RADIAL_CHECK(options_.centres_per_class >= 1, "SoftTriple: centres_per_class is {}, expected at least 1",
                 options_.centres_per_class);
    RADIAL_CHECK(options_.lambda > 0, "SoftTriple: lambda is {}, expected above 0", options_.lambda);
    RADIAL_CHECK(options_.gamma > 0, "SoftTriple: gamma is {}, expected above 0", options_.gamma);
    RADIAL_CHECK(options_.delta >= 0 && std::isfinite(options_.delta),
                 "SoftTriple: delta is {}, expected a number of at least 0", options_.delta);
    RADIAL_CHECK(options_.tau >= 0 && std::isfinite(options_.tau),
                 "SoftTriple: tau is {}, expected a number of at least 0", options_.tau);
    centres_ =
        register_parameter("centres", Tensor::empty({options_.classes * options_.centres_per_class, options_.dim}));
    init::xavier_uniform_(centres_);
}

// The similarity S_c of each sample to each class: [N, classes].
Tensor SoftTriple::similarities(const Tensor& feature, const Tensor& unit_centres) const {
    const std::int64_t batch = feature.size(0), each = options_.centres_per_class;
    const Tensor all = linear(unit_rows(cast(feature, centres_.dtype())), unit_centres);
    if (each == 1) return all;
    const Tensor grouped = reshape(all, {batch * options_.classes, each});
    const Tensor shares = exp(log_softmax(grouped * (1 / options_.gamma)));
    return reshape(sum(shares * grouped, {1}), {batch, options_.classes});
}

// The mean over classes and ordered pairs of different centres of sqrt(2 - 2 cos) / 2. This equals the paper's sum over
// unordered pairs, divided by C K (K - 1). Each centre is paired with the centre `shift` places further, cyclically
// within the class.
Tensor SoftTriple::spread(const Tensor& unit_centres) const {
    constexpr double below_root = 1e-5;  // gives coinciding centres a gradient
    const std::int64_t each = options_.centres_per_class;
    const Tensor grouped = reshape(unit_centres, {options_.classes, each, options_.dim});
    Tensor total;
    for (std::int64_t shift = 1; 2 * shift <= each; ++shift) {
        const Tensor others = concat({slice(grouped, 1, shift, each), slice(grouped, 1, 0, shift)}, 1);
        const Tensor lengths = sqrt(-2.0 * sum(grouped * others, {2}) + (2 + below_root));
        // At a shift of half the centres, each pair occurs twice.
        const Tensor pairs = (2 * shift == each ? 0.5 : 1.0) * sum(lengths);
        total = total.defined() ? total + pairs : pairs;
    }
    return total * (1 / static_cast<double>(options_.classes * each * (each - 1)));
}

Tensor SoftTriple::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("SoftTriple", feature, centres_);
    check_labels("SoftTriple", labels, feature);
    const Tensor unit_centres = unit_rows(centres_);
    const Tensor loss = margin_cross_entropy(similarities(feature, unit_centres), labels,
                                             {.scale = options_.lambda, .cosine = options_.delta}, head(centres_));
    if (options_.tau == 0 || options_.centres_per_class == 1) return loss;
    return loss + options_.tau * spread(unit_centres);
}

Tensor SoftTriple::logits(const Tensor& feature) {
    check_feature("SoftTriple", feature, centres_);
    return similarities(feature, unit_rows(centres_)) * options_.lambda;
}

LossInfo SoftTriple::info() {
    return loss_entry<SoftTriple, SoftTripleOptions>(
        "soft-triple",
        "mean over i of -log softmax_c(lambda (S_c - delta [c = y_i]))[y_i], S_c = sum_k softmax_k(s_ck / "
        "gamma) s_ck, s_ck = cos(x_i, w_ck); + tau * mean |w_cs - w_ct| / 2",
        "Qian et al.: SoftTriple Loss, ICCV 2019");
}

}  // namespace radial
