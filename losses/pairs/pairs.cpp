// Losses over the pairs of a batch: a rule applied to each anchor's row, sums over the rows, and one scaled gradient.
#include "radial/losses/pairs/kernels.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/linear_algebra.h"
#include "radial/losses/functional.h"
#include "radial/losses/pairs/triplets.h"

namespace radial {
namespace {

void check_pair_labels(std::string_view op, std::string_view what, const Tensor& matrix, const Tensor& labels,
                       std::int64_t count) {
    RADIAL_CHECK(labels.defined(), "{}: {} are undefined", op, what);
    RADIAL_CHECK(labels.dtype() == DType::int64 && labels.shape() == Shape{count}, "{}: {} are {}, expected int64[{}]",
                 op, what, labels.str(), count);
    ops::check_device(op, matrix, what, labels);
}

void check(std::string_view op, std::string_view what, const Tensor& matrix, const PairLabels& labels) {
    ops::check_floating(op, what, matrix);
    ops::check_rank(op, what, matrix, 2, "[R, M]");
    check_pair_labels(op, "the rows' labels", matrix, labels.rows, matrix.size(0));
    if (labels.columns.defined()) {
        check_pair_labels(op, "the columns' labels", matrix, labels.columns, matrix.size(1));
    } else {
        RADIAL_CHECK(matrix.size(0) == matrix.size(1), "{}: {} are {}, expected a square without the columns' labels",
                     op, what, matrix.shape().str());
    }
    if (labels.classes == 0) return;
    const Tensor& samples = labels.columns.defined() ? labels.columns : labels.rows;
    ops::check_labels(op, samples, samples.size(0), labels.classes);
}

kernels::PairIndex index_of(const Tensor& rows, const Tensor& columns) {
    const auto* const labels = rows.data<const std::int64_t>();
    const bool same = !columns.defined();
    return {labels, same ? labels : columns.data<const std::int64_t>(), same};
}

// The cost of applying a rule to one element of a row, in plain operations: about two calls of exp().
constexpr std::int64_t rule_cost = 16;

// The loss of a matrix under a rule of losses/pairs/kernels.h. The host does not wait for the device: the counts stay
// there, and backward reads them.
template <class T, class Rule>
Tensor pair_loss(std::string_view op, const Tensor& matrix, const PairLabels& labels, const Rule& rule,
                 std::int64_t cost = rule_cost) {
    const std::int64_t rows = matrix.size(0), columns = matrix.size(1);
    const Device device = matrix.device();
    const Tensor grad = Tensor::empty_like(matrix);
    const Tensor sums = Tensor::empty({rows, kernels::pair_sums}, DType::float64, device);
    const Tensor totals = Tensor::empty({kernels::pair_sums}, DType::float64, device);
    const Tensor loss = Tensor::empty({}, matrix.dtype(), device);
    kernels::rows(device, columns == 0 ? 0 : rows, columns,
                  kernels::PairRows<T, Rule>{matrix.data<const T>(), grad.data<T>(), sums.data<double>(), columns,
                                             index_of(labels.rows, labels.columns), rule},
                  cost);
    kernels::reduce_columns(device, columns == 0 ? 0 : rows, kernels::pair_sums,
                            kernels::MatrixElement<double>{sums.data<const double>(), kernels::pair_sums},
                            kernels::StoreSum<double>{totals.data<double>()});
    kernels::map(device, 1, kernels::PairMeans<T>{totals.data<const double>(), loss.data<T>()});
    return record(
        op, loss, {matrix},
        [grad, totals, row_labels = Saved(labels.rows, op, "the rows' labels"),
         column_labels = labels.columns.defined() ? Saved(labels.columns, op, "the columns' labels") : Saved()](
            const Tensor& dy, Needs) -> Grads {
            const Tensor row_values = row_labels.get();
            const Tensor column_values = column_labels.defined() ? column_labels.get() : Tensor();
            // Backward runs only once, so the kept gradient may be overwritten with the result.
            kernels::map2(grad.device(), grad.size(0), grad.size(1),
                          kernels::ScalePairs<T>{grad.data<T>(), totals.data<const double>(), dy.data<const T>(),
                                                 grad.size(1), index_of(row_values, column_values), Rule::two_parts});
            return {grad};
        });
}

template <class T, class Miner>
Tensor mined_triplets(const Tensor& distances, const PairLabels& labels, const kernels::TripletLoss<T>& loss,
                      const Miner& miner) {
    const Tensor chosen = Tensor::empty(distances.shape(), DType::int64, distances.device());
    const kernels::MinedTriplets<T, Miner> rule{loss, chosen.data<std::int64_t>(), miner};
    return pair_loss<T>("triplet_loss", distances, labels, rule, rule_cost + distances.size(1));
}

template <class T>
Tensor triplets(const Tensor& distances, const PairLabels& labels, const TripletTerms& options, Generator& generator) {
    const kernels::TripletLoss<T> loss{static_cast<T>(options.margin), options.soft, options.over_nonzero};
    switch (options.miner) {
        case TripletMiner::hard:
            return mined_triplets<T>(distances, labels, loss, kernels::HardestMiner<T>{});
        case TripletMiner::semi_hard:
            return mined_triplets<T>(distances, labels, loss, kernels::SemiHardMiner<T>{loss.margin});
        case TripletMiner::distance_weighted: {
            const std::uint64_t first = generator.reserve(static_cast<std::uint64_t>(distances.numel()));
            return mined_triplets<T>(distances, labels, loss,
                                     kernels::DistanceWeightedMiner<T>{
                                         static_cast<T>(options.cutoff), static_cast<T>(options.furthest),
                                         static_cast<T>(options.dimension), generator.seed(), first, generator.base()});
        }
        case TripletMiner::all:
            break;
    }
    return pair_loss<T>("triplet_loss", distances, labels, kernels::AllTriplets<T>{loss},
                        rule_cost * (1 + distances.size(1)));
}

}  // namespace

Tensor contrastive_loss(const Tensor& distances, const PairLabels& labels, const ContrastivePairs& options) {
    check("contrastive_loss", "distances", distances, labels);
    RADIAL_CHECK(options.power == 1 || options.power == 2, "contrastive_loss: power is {}, expected 1 or 2",
                 options.power);
    return dispatch_floating(distances.dtype(), "contrastive_loss", [&](auto zero) {
        using T = decltype(zero);
        return pair_loss<T>(
            "contrastive_loss", distances, labels,
            kernels::ContrastiveRule<T>{static_cast<T>(options.positive_margin), static_cast<T>(options.margin),
                                        options.power == 2, options.over_nonzero});
    });
}

Tensor triplet_loss(const Tensor& distances, const PairLabels& labels, const TripletTerms& options,
                    Generator& generator) {
    check("triplet_loss", "distances", distances, labels);
    if (options.miner == TripletMiner::distance_weighted) {
        RADIAL_CHECK(options.dimension >= 2, "triplet_loss: dimension is {}, expected at least 2", options.dimension);
        RADIAL_CHECK(options.cutoff > 0, "triplet_loss: cutoff is {}, expected above 0", options.cutoff);
    }
    return dispatch_floating(distances.dtype(), "triplet_loss", [&](auto zero) {
        return triplets<decltype(zero)>(distances, labels, options, generator);
    });
}

Tensor supervised_contrastive_loss(const Tensor& similarities, const PairLabels& labels, double temperature) {
    check("supervised_contrastive_loss", "similarities", similarities, labels);
    RADIAL_CHECK(temperature > 0, "supervised_contrastive_loss: temperature is {}, expected above 0", temperature);
    return dispatch_floating(similarities.dtype(), "supervised_contrastive_loss", [&](auto zero) {
        using T = decltype(zero);
        return pair_loss<T>("supervised_contrastive_loss", similarities, labels,
                            kernels::SupervisedContrastiveRule<T>{static_cast<T>(1 / temperature)});
    });
}

Tensor multi_similarity_loss(const Tensor& similarities, const PairLabels& labels,
                             const MultiSimilarityPairs& options) {
    check("multi_similarity_loss", "similarities", similarities, labels);
    RADIAL_CHECK(options.alpha > 0 && options.beta > 0,
                 "multi_similarity_loss: alpha {} and beta {} must each be above 0", options.alpha, options.beta);
    return dispatch_floating(similarities.dtype(), "multi_similarity_loss", [&](auto zero) {
        using T = decltype(zero);
        return pair_loss<T>("multi_similarity_loss", similarities, labels,
                            kernels::MultiSimilarityRule<T>{static_cast<T>(options.alpha), static_cast<T>(options.beta),
                                                            static_cast<T>(options.base),
                                                            static_cast<T>(options.epsilon), options.mining});
    });
}

Tensor circle_loss(const Tensor& similarities, const PairLabels& labels, const CirclePairs& options) {
    check("circle_loss", "similarities", similarities, labels);
    return dispatch_floating(similarities.dtype(), "circle_loss", [&](auto zero) {
        using T = decltype(zero);
        return pair_loss<T>("circle_loss", similarities, labels,
                            kernels::CircleRule<T>{options.margin, options.gamma, options.through_weights});
    });
}

Tensor proxy_anchor_loss(const Tensor& similarities, const PairLabels& labels, const ProxyAnchorPairs& options) {
    check("proxy_anchor_loss", "similarities", similarities, labels);
    return dispatch_floating(similarities.dtype(), "proxy_anchor_loss", [&](auto zero) {
        using T = decltype(zero);
        return pair_loss<T>("proxy_anchor_loss", similarities, labels,
                            kernels::ProxyAnchorRule<T>{static_cast<T>(options.alpha), static_cast<T>(options.delta)});
    });
}

}  // namespace radial
