// SoftTriple: relaxed similarities, the spread of a class's centres, and its entry in the registry.
#include "radial/losses/soft_triple.h"

#include "radial/core/tensor/random.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"
#include "radial/losses/with_term.h"

#include <cmath>

namespace radial {

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

// S_c of each sample and class: [N, classes].
Tensor SoftTriple::similarities(const Tensor& feature, const Tensor& unit_centres) const {
    const std::int64_t batch = feature.size(0), each = options_.centres_per_class;
    const Tensor all = linear(unit_rows(cast(feature, centres_.dtype())), unit_centres);
    if (each == 1) return all;
    const Tensor grouped = reshape(all, {batch * options_.classes, each});
    const Tensor shares = exp(log_softmax(grouped * (1 / options_.gamma)));
    return reshape(sum(shares * grouped, {1}), {batch, options_.classes});
}

// The mean over classes and ordered pairs of different centres of sqrt(2 - 2 cos) / 2: the paper's sum over unordered
// pairs, divided by C K (K - 1). A centre is paired with the one `shift` places on, round the class.
Tensor SoftTriple::spread(const Tensor& unit_centres) const {
    constexpr double below_root = 1e-5;  // so that centres that meet have a gradient
    const std::int64_t each = options_.centres_per_class;
    const Tensor grouped = reshape(unit_centres, {options_.classes, each, options_.dim});
    Tensor total;
    for (std::int64_t shift = 1; 2 * shift <= each; ++shift) {
        const Tensor others = concat({slice(grouped, 1, shift, each), slice(grouped, 1, 0, shift)}, 1);
        const Tensor lengths = sqrt(-2.0 * sum(grouped * others, {2}) + (2 + below_root));
        // Half way round, each pair comes twice.
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
    const SoftTripleOptions defaults;
    return {
        .name = "soft-triple",
        .formula =
            "mean over i of -log softmax_c(lambda (S_c - delta [c = y_i]))[y_i], S_c = sum_k softmax_k(s_ck / "
            "gamma) s_ck, s_ck = cos(x_i, w_ck); + tau * mean |w_cs - w_ct| / 2",
        .source = "Qian et al.: SoftTriple Loss, ICCV 2019",
        .defaults = with_settings({{"centres_per_class", static_cast<double>(defaults.centres_per_class)},
                                   {"lambda", defaults.lambda},
                                   {"gamma", defaults.gamma},
                                   {"delta", defaults.delta},
                                   {"tau", defaults.tau}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<SoftTriple>(
                    SoftTripleOptions{.classes = classes,
                                      .dim = dim,
                                      .centres_per_class = whole_number("SoftTriple", settings, "centres_per_class"),
                                      .lambda = settings.at("lambda"),
                                      .gamma = settings.at("gamma"),
                                      .delta = settings.at("delta"),
                                      .tau = settings.at("tau"),
                                      .softmax = read(settings)});
            },
    };
}

}  // namespace radial
