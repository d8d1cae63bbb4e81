// MultiSimilarity: the op, and its entry in the registry.
#include "radial/losses/multi_similarity.h"

#include "radial/losses/functional.h"

namespace radial {

MultiSimilarity::MultiSimilarity(const MultiSimilarityOptions& options)
    : PairLoss("MultiSimilarity", options.classes, options.dim, true, options.momentum), pairs_(options.pairs) {
    RADIAL_CHECK(options.pairs.alpha > 0, "MultiSimilarity: alpha is {}, expected above 0", options.pairs.alpha);
    RADIAL_CHECK(options.pairs.beta > 0, "MultiSimilarity: beta is {}, expected above 0", options.pairs.beta);
}

Tensor MultiSimilarity::batch_loss(const Tensor& x, const PairLabels& labels) {
    return multi_similarity_loss(cosines(x, x), labels, pairs_);
}

LossInfo MultiSimilarity::info() {
    const MultiSimilarityOptions defaults;
    return {
        .name = "multi-similarity",
        .formula =
            "mean over a of log(1 + sum over positives of exp(-alpha (cos - base))) / alpha + log(1 + sum over "
            "negatives of exp(beta (cos - base))) / beta",
        .source = "Wang et al.: Multi-Similarity Loss, CVPR 2019, Eq. 15; mining: Eq. 10 and 11",
        .defaults = {{"alpha", defaults.pairs.alpha},
                     {"beta", defaults.pairs.beta},
                     {"base", defaults.pairs.base},
                     {"mining", defaults.pairs.mining ? 1 : 0},
                     {"epsilon", defaults.pairs.epsilon},
                     {"momentum", defaults.momentum}},
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<MultiSimilarity>(
                    MultiSimilarityOptions{.classes = classes,
                                           .dim = dim,
                                           .pairs = {.alpha = settings.at("alpha"),
                                                     .beta = settings.at("beta"),
                                                     .base = settings.at("base"),
                                                     .mining = settings.at("mining") != 0,
                                                     .epsilon = settings.at("epsilon")},
                                           .momentum = settings.at("momentum")});
            },
    };
}

}  // namespace radial
