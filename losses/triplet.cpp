// Triplet: the op, and its entry in the registry.
#include "radial/losses/triplet.h"

#include "radial/losses/functional.h"
#include "radial/losses/with_term.h"

namespace radial {
namespace {

TripletMiner miner_of(std::int64_t number) {
    constexpr auto last = static_cast<std::int64_t>(TripletMiner::distance_weighted);
    RADIAL_CHECK(number >= 0 && number <= last, "Triplet: miner is {}, expected 0 to {}", number, last);
    return static_cast<TripletMiner>(number);
}

}  // namespace

Triplet::Triplet(const TripletOptions& options)
    : PairLoss("Triplet", options.classes, options.dim, options.normalise, options.momentum), options_(options) {
    const TripletTerms& triplets = options.triplets;
    options_.triplets.dimension = options.dim;
    RADIAL_CHECK(triplets.margin >= 0, "Triplet: margin is {}, expected at least 0", triplets.margin);
    if (triplets.miner != TripletMiner::distance_weighted) return;
    RADIAL_CHECK(options.normalise, "Triplet: the distance-weighted miner needs normalise, which is off");
    RADIAL_CHECK(options.dim >= 2, "Triplet: the distance-weighted miner needs a dim of at least 2, which is {}",
                 options.dim);
    RADIAL_CHECK(triplets.cutoff > 0 && triplets.furthest > 0,
                 "Triplet: cutoff {} and furthest {} must each be above 0", triplets.cutoff, triplets.furthest);
}

Tensor Triplet::batch_loss(const Tensor& x, const PairLabels& labels) {
    return triplet_loss(distances(x, x), labels, options_.triplets);
}

LossInfo Triplet::info() {
    const TripletOptions defaults;
    return {
        .name = "triplet",
        .formula =
            "mean over triplets of max(0, d(a, p) - d(a, n) + margin); miner 0 all, 1 hard, 2 semi-hard, 3 "
            "distance-weighted",
        .source = "Schroff et al., CVPR 2015; Hermans et al. 2017; Wu et al., ICCV 2017",
        .defaults = {{"margin", defaults.triplets.margin},
                     {"miner", static_cast<double>(defaults.triplets.miner)},
                     {"soft", defaults.triplets.soft ? 1 : 0},
                     {"over_nonzero", defaults.triplets.over_nonzero ? 1 : 0},
                     {"cutoff", defaults.triplets.cutoff},
                     {"furthest", defaults.triplets.furthest},
                     {"normalise", defaults.normalise ? 1 : 0},
                     {"momentum", defaults.momentum}},
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<Triplet>(
                    TripletOptions{.classes = classes,
                                   .dim = dim,
                                   .triplets = {.margin = settings.at("margin"),
                                                .miner = miner_of(whole_number("Triplet", settings, "miner")),
                                                .soft = settings.at("soft") != 0,
                                                .over_nonzero = settings.at("over_nonzero") != 0,
                                                .cutoff = settings.at("cutoff"),
                                                .furthest = settings.at("furthest")},
                                   .normalise = settings.at("normalise") != 0,
                                   .momentum = settings.at("momentum")});
            },
    };
}

}  // namespace radial
