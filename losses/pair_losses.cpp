// The losses over pairs: class means and their logits, checks of options, calls of the ops, and registry entries.
#include "radial/losses/pair_losses.h"

#include "radial/core/distributed/communicator.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <cmath>

namespace radial {
ClassMeans::ClassMeans(std::string_view loss, std::int64_t classes, std::int64_t dim, double momentum)
    : momentum_(momentum) {
    RADIAL_CHECK(classes >= 1 && dim >= 1, "{}: classes {} and dim {} must each be at least 1", loss, classes, dim);
    RADIAL_CHECK(momentum > 0 && momentum <= 1, "{}: momentum is {}, expected above 0 and at most 1", loss, momentum);
    mean_ = register_buffer("mean", Tensor::zeros({classes, dim}), BufferKind::statistic);
    seen_ = register_buffer("seen", Tensor::zeros({classes}), BufferKind::state);
}

void ClassMeans::update(const Tensor& x, const Tensor& labels) const {
    update_class_means(mean_, seen_, rows_of_all_ranks(x), rows_of_all_ranks(labels), momentum_);
}

Tensor ClassMeans::logits(const Tensor& x, bool by_cosine) const {
    // Copied, so that an update of the means before backward() does not change the values that backward() reads.
    const Tensor mean = mean_.clone(), seen = seen_.clone();
    const Tensor score = by_cosine ? cosines(x, mean) : -squared_distances(x, mean);
    return score * seen + (seen * -1.0 + 1.0) * unseen_logit;
}

PairLoss::PairLoss(std::string_view loss, std::int64_t classes, std::int64_t dim, bool unit, double momentum)
    : name_(loss),
      classes_(classes),
      unit_(unit),
      means_(register_module("means", std::make_shared<ClassMeans>(loss, classes, dim, momentum))) {}

Tensor PairLoss::prepared(const Tensor& feature) const {
    check_feature(name_, feature, means_->mean());
    const Tensor x = cast(feature, means_->mean().dtype());
    return unit_ ? unit_rows(x) : x;
}

Tensor PairLoss::forward(const Tensor& feature, const Tensor& labels) {
    const Tensor x = prepared(feature);
    check_labels(name_, labels, feature);
    Tensor loss = batch_loss(x, {.rows = labels, .classes = classes_});
    if (training()) means_->update(x.detach(), labels);
    return loss;
}

Tensor PairLoss::logits(const Tensor& feature) { return means_->logits(prepared(feature), unit_); }

std::vector<LossScore> PairLoss::scores(const Tensor& feature) {
    if (unit_) return {};
    return {nearest_score(-logits(feature))};
}

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
    return loss_entry<Contrastive, ContrastiveOptions>(
        "contrastive",
        "mean over pairs of a class of max(0, d - positive_margin)^power + mean over other pairs of max(0, "
        "margin - d)^power",
        "Chopra, Hadsell, LeCun, CVPR 2005; Hadsell, Chopra, LeCun, CVPR 2006, Eq. 4");
}

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
    return loss_entry<Triplet, TripletOptions>(
        "triplet",
        "mean over triplets of max(0, d(a, p) - d(a, n) + margin); miner: all, hard, semi-hard or "
        "distance-weighted",
        "Schroff et al., CVPR 2015; Hermans et al. 2017; Wu et al., ICCV 2017");
}

SupervisedContrastive::SupervisedContrastive(const SupervisedContrastiveOptions& options)
    : PairLoss("SupervisedContrastive", options.classes, options.dim, true, options.momentum),
      temperature_(options.temperature) {
    RADIAL_CHECK(options.temperature > 0, "SupervisedContrastive: temperature is {}, expected above 0",
                 options.temperature);
}

Tensor SupervisedContrastive::batch_loss(const Tensor& x, const PairLabels& labels) {
    return supervised_contrastive_loss(cosines(x, x), labels, temperature_);
}

LossInfo SupervisedContrastive::info() {
    return loss_entry<SupervisedContrastive, SupervisedContrastiveOptions>(
        "supervised-contrastive",
        "mean over a and its positives p of -log softmax over the other samples j of cos(a, j) / temperature, "
        "at p",
        "Khosla et al.: Supervised Contrastive Learning, NeurIPS 2020, Eq. 2");
}

MultiSimilarity::MultiSimilarity(const MultiSimilarityOptions& options)
    : PairLoss("MultiSimilarity", options.classes, options.dim, true, options.momentum), pairs_(options.pairs) {
    RADIAL_CHECK(options.pairs.alpha > 0, "MultiSimilarity: alpha is {}, expected above 0", options.pairs.alpha);
    RADIAL_CHECK(options.pairs.beta > 0, "MultiSimilarity: beta is {}, expected above 0", options.pairs.beta);
}

Tensor MultiSimilarity::batch_loss(const Tensor& x, const PairLabels& labels) {
    return multi_similarity_loss(cosines(x, x), labels, pairs_);
}

LossInfo MultiSimilarity::info() {
    return loss_entry<MultiSimilarity, MultiSimilarityOptions>(
        "multi-similarity",
        "mean over a of log(1 + sum over positives of exp(-alpha (cos - base))) / alpha + log(1 + sum over "
        "negatives of exp(beta (cos - base))) / beta",
        "Wang et al.: Multi-Similarity Loss, CVPR 2019, Eq. 15; mining: Eq. 10 and 11");
}

Circle::Circle(const CircleOptions& options)
    : PairLoss("Circle", options.classes, options.dim, true, options.momentum), pairs_(options.pairs) {
    RADIAL_CHECK(options.pairs.gamma > 0, "Circle: gamma is {}, expected above 0", options.pairs.gamma);
    RADIAL_CHECK(std::isfinite(options.pairs.margin), "Circle: margin is {}, expected a finite number",
                 options.pairs.margin);
}

Tensor Circle::batch_loss(const Tensor& x, const PairLabels& labels) {
    return circle_loss(cosines(x, x), labels, pairs_);
}

LossInfo Circle::info() {
    return loss_entry<Circle, CircleOptions>(
        "circle",
        "mean over a of log(1 + sum over negatives of exp(gamma [cos + m]+ (cos - m)) * sum over positives of "
        "exp(-gamma [1 + m - cos]+ (cos - 1 + m)))",
        "Sun et al.: Circle Loss, CVPR 2020, Eq. 6 to 8");
}

}  // namespace radial
