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
    FeatureDistance distance = FeatureDistance::euclidean;  ///< ranks the neighbours
    std::vector<std::int64_t> recall_at = {1, 2, 4, 8};     ///< the values of K of recall at K
};

/// The figures of retrieval_metrics(), each a mean over the queries.
struct RetrievalMetrics {
    std::int64_t queries = 0;  ///< number of samples whose class has other samples
    /// For each K of RetrievalOptions::recall_at: whether any of the K nearest neighbours is of the query's class
    /// (Jegou, Douze & Schmid 2011; for K = 1 also called precision at 1).
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
/// R-precision and MAP at R as pytorch-metric-learning does. Samples that are the only ones of their class are no
/// queries. Of equal distances, the sample with the smaller index comes first. `features` is float32 [N, D] on any
/// device; `labels` is int64 [N] on the CPU. Holds a few million distances at a time, never N x N. All figures are 0
/// without queries. Throws Error for other types or shapes, for a feature that is not finite, and unless every K is
/// above 0.
RetrievalMetrics retrieval_metrics(const Tensor& features, const Tensor& labels, const RetrievalOptions& options = {});

/// A sample found for a query.
struct Neighbour {
    std::int64_t index = 0;  ///< row of the sample
    double distance = 0;     ///< from the query, as FeatureDistance says
};

/// For each row of `queries` [Q, D], the `count` nearest rows of `samples` [N, D], the nearest first, or all N if there
/// are fewer. Of equal distances, the row with the smaller index comes first. Both are float32 on one device. Holds a
/// few million distances at a time. Throws Error for other types or shapes, for a feature that is not finite, and when
/// `count` is below 1.
std::vector<std::vector<Neighbour>> nearest_neighbours(const Tensor& queries, const Tensor& samples, std::int64_t count,
                                                       FeatureDistance distance = FeatureDistance::euclidean);

}  // namespace radial::train
