// Retrieval: how many of the nearest neighbours of a feature are of its class.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace radial::train {

/// The distance by which neighbours are ranked.
enum class FeatureDistance : std::uint8_t {
    euclidean,  ///< |x - y|
    cosine      ///< 1 - x . y / (|x| |y|)
};
/// The names of the distances.
constexpr auto words_of(FeatureDistance /*value*/) { return std::to_array<std::string_view>({"euclidean", "cosine"}); }

/// Options of retrieval_metrics().
struct RetrievalOptions {
    FeatureDistance distance = FeatureDistance::euclidean;  ///< the distance by which neighbours are ranked
    std::vector<std::int64_t> recall_at = {1, 2, 4, 8};     ///< the values of K of recall at K
};

/// The results of retrieval_metrics(): the number of queries, and means over them.
struct RetrievalMetrics {
    std::int64_t queries = 0;  ///< number of samples whose class has other samples
    /// For each K of RetrievalOptions::recall_at: the fraction of the queries for which any of the K nearest neighbours
    /// is of the query's class (Jegou, Douze & Schmid 2011; for K = 1 also called precision at 1).
    std::vector<double> recall;
    /// With R the number of other samples of the query's class: the fraction of the R nearest neighbours that are of
    /// that class.
    double r_precision = 0;
    /// (1 / R) (sum over i = 1 .. R of P(i)), where P(i) is the fraction of the i nearest neighbours that are of the
    /// query's class if the i-th is, and 0 otherwise (Musgrave, Belongie & Lim, "A Metric Learning Reality Check", ECCV
    /// 2020).
    double map_at_r = 0;
};

/// Ranks, for each sample as a query, all other samples by the distance of their features, and computes recall at K,
/// R-precision and MAP at R as pytorch-metric-learning does. A sample that is the only one of its class is not used as
/// a query. Of samples at equal distances, the one with the smaller index comes first. `features` is float32 [N, D] on
/// any device; `labels` is int64 [N] on the CPU. Holds a few million distances in memory at a time, never N x N. All
/// results are 0 if there are no queries. Throws Error for other types or shapes, for a feature that is not finite, and
/// unless every K is above 0.
RetrievalMetrics retrieval_metrics(const Tensor& features, const Tensor& labels, const RetrievalOptions& options = {});

/// A sample found for a query.
struct Neighbour {
    std::int64_t index = 0;  ///< row of the sample
    double distance = 0;     ///< distance from the query, as defined at FeatureDistance
};

/// Returns, for each row of `queries` [Q, D], the `count` nearest rows of `samples` [N, D], the nearest first, or all N
/// rows if N is below `count`. Of rows at equal distances, the one with the smaller index comes first. `queries` and
/// `samples` are float32 on one device. Holds a few million distances in memory at a time. Throws Error for other types
/// or shapes, for a feature that is not finite, and when `count` is below 1.
std::vector<std::vector<Neighbour>> nearest_neighbours(const Tensor& queries, const Tensor& samples, std::int64_t count,
                                                       FeatureDistance distance = FeatureDistance::euclidean);

}  // namespace radial::train
