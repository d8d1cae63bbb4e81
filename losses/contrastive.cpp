// Contrastive: the op, and its entry in the registry.
#include "radial/losses/contrastive.h"

#include "radial/losses/functional.h"
#include "radial/losses/with_term.h"

namespace radial {

Contrastive::Contrastive(const ContrastiveOptions& options)
    : PairLoss("Contrastive", options.classes, options.dim, options.normalise, options.momentum), options_(options) {
    RADIAL_CHECK(options.pairs.positive_margin >= 0, "Contrastive: positive_margin is {}, expected at least 0",
                 options.pairs.positive_margin);
    RADIAL_CHECK(options.pairs.margin >= 0, "Contrastive: margin is {}, expected at least 0", options.pairs.margin);
    RADIAL_CHECK(options.pairs.power == 1 || options.pairs.power == 2, "Contrastive: power is {}, expected 1 or 2",
                 options.pairs.power);
}

Tensor Contrastive::batch_loss(const Tensor& x, const PairLabels& labels) {
    return contrastive_loss(distances(x, x), labels, options_.pairs);
}

LossInfo Contrastive::info() {
    const ContrastiveOptions defaults;
    return {
        .name = "contrastive",
        .formula =
            "mean over pairs of a class of max(0, d - positive_margin)^power + mean over other pairs of max(0, "
            "margin - d)^power",
        .source = "Chopra, Hadsell, LeCun, CVPR 2005; Hadsell, Chopra, LeCun, CVPR 2006, Eq. 4",
        .defaults = {{"margin", defaults.pairs.margin},
                     {"positive_margin", defaults.pairs.positive_margin},
                     {"power", defaults.pairs.power},
                     {"over_nonzero", defaults.pairs.over_nonzero ? 1 : 0},
                     {"normalise", defaults.normalise ? 1 : 0},
                     {"momentum", defaults.momentum}},
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<Contrastive>(ContrastiveOptions{
                    .classes = classes,
                    .dim = dim,
                    .pairs = {.positive_margin = settings.at("positive_margin"),
                              .margin = settings.at("margin"),
                              .power = static_cast<int>(whole_number("Contrastive", settings, "power")),
                              .over_nonzero = settings.at("over_nonzero") != 0},
                    .normalise = settings.at("normalise") != 0,
                    .momentum = settings.at("momentum")});
            },
    };
}

}  // namespace radial
