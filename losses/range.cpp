// Range: both terms, and the entries in the registries.
#include "radial/losses/range.h"

#include "radial/core/ops.h"
#include "radial/losses/feature_check.h"
#include "radial/losses/functional.h"
#include "radial/losses/softmax.h"
#include "radial/losses/with_term.h"

namespace radial {

Range::Range(const RangeOptions& options) : options_(options) {
    RADIAL_CHECK(options.alpha >= 0, "Range: alpha is {}, expected at least 0", options.alpha);
    RADIAL_CHECK(options.beta >= 0, "Range: beta is {}, expected at least 0", options.beta);
    RADIAL_CHECK(options.margin >= 0, "Range: margin is {}, expected at least 0", options.margin);
    RADIAL_CHECK(options.largest >= 1, "Range: largest is {}, expected at least 1", options.largest);
}

Tensor Range::forward(const Tensor& feature, const Tensor& labels, const Tensor&) {
    RADIAL_CHECK(feature.defined() && feature.rank() == 2, "Range: feature is {}, expected [N, D]", feature.str());
    check_labels("Range", labels, feature);
    const Tensor x = feature.dtype() == DType::bfloat16 ? cast(feature, DType::float32) : feature;
    const Tensor centres = batch_class_means(x, labels);
    // Squares of what distances() gives: equal samples are at exactly 0.
    const Tensor within = range_intra_loss(square(distances(x, x)), labels, options_.largest);
    const Tensor between = range_inter_loss(square(distances(centres, centres)), labels, options_.margin);
    return options_.alpha * within + options_.beta * between;
}

RegulariserInfo Range::info() {
    const RangeOptions defaults;
    return {
        .name = "range",
        .formula =
            "alpha * sum over classes of the harmonic mean of the k largest |x_i - x_j|^2 + beta * max(0, margin - "
            "smallest |c_a - c_b|^2)",
        .source = "Zhang, Fang, Wen, Li, Qiao: Range Loss, ICCV 2017, Eq. 5 to 8",
        .defaults = {{"alpha", defaults.alpha},
                     {"beta", defaults.beta},
                     {"margin", defaults.margin},
                     {"k", static_cast<double>(defaults.largest)}},
        .make =
            [](std::int64_t, std::int64_t, const LossSettings& settings) {
                return std::make_unique<Range>(RangeOptions{.alpha = settings.at("alpha"),
                                                            .beta = settings.at("beta"),
                                                            .margin = settings.at("margin"),
                                                            .largest = whole_number("Range", settings, "k")});
            },
    };
}

LossInfo Range::loss_info() {
    constexpr double lambda = 1;  // alpha and beta are the published weights
    return with_term(
        {.name = "range",
         .formula = "softmax + lambda * (alpha * sum over classes of the harmonic mean of the k largest |x_i "
                    "- x_j|^2 + beta * max(0, margin - smallest |c_a - c_b|^2))",
         .source = "Zhang, Fang, Wen, Li, Qiao: Range Loss, ICCV 2017, Eq. 5 to 8",
         .defaults = {},
         .make = {}},
        Softmax::info(), info(), lambda);
}

}  // namespace radial
