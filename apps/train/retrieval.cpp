// Ranks the neighbours of queries, one block of queries after another.
#include "radial/apps/train/retrieval.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>

namespace radial::train {
namespace {

constexpr std::int64_t most_distances = std::int64_t{1} << 22;  // in memory at a time

void check(const Tensor& features, const Tensor& labels, const RetrievalOptions& options) {
    RADIAL_CHECK(features.defined() && features.dtype() == DType::float32 && features.rank() == 2,
                 "retrieval_metrics: features are {}, expected float32 [N, D]", features.str());
    RADIAL_CHECK(labels.defined() && labels.dtype() == DType::int64 && labels.shape() == Shape{features.size(0)} &&
                     labels.device() == Device{},
                 "retrieval_metrics: labels are {}, expected int64[{}] on the CPU", labels.str(), features.size(0));
    for (const std::int64_t k : options.recall_at)
        RADIAL_CHECK(k > 0, "retrieval_metrics: recall@{}: expected K above 0", k);
    const std::vector<float> values = features.to_vector<float>();
    for (std::size_t i = 0; i < values.size(); ++i)
        RADIAL_CHECK(std::isfinite(values[i]), "retrieval_metrics: the feature of sample {} is {} at element {}",
                     static_cast<std::int64_t>(i) / features.size(1), values[i],
                     static_cast<std::int64_t>(i) % features.size(1));
}

constexpr std::int64_t nobody = -1;

/// Returns the indices of the `count` samples with the smallest distances, the nearest first. Leaves out the sample
/// `left_out`, unless it is `nobody`. The result is a part of `order`, a workspace that calls reuse.
std::span<const std::int64_t> nearest(std::span<const float> distances, std::int64_t left_out, std::int64_t count,
                                      std::vector<std::int64_t>& order) {
    order.resize(distances.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    if (left_out != nobody) order.erase(order.begin() + left_out);
    const auto closer = [distances](std::int64_t a, std::int64_t b) {
        const float first = distances[static_cast<std::size_t>(a)], other = distances[static_cast<std::size_t>(b)];
        return first < other || (first == other && a < b);
    };
    const auto end = order.begin() + std::min<std::ptrdiff_t>(count, std::ssize(order));
    if (end != order.end()) std::nth_element(order.begin(), end, order.end(), closer);
    std::sort(order.begin(), end, closer);
    return {order.begin(), end};
}

void check_features(const char* what, const Tensor& features) {
    RADIAL_CHECK(features.defined() && features.dtype() == DType::float32 && features.rank() == 2,
                 "nearest_neighbours: {} are {}, expected float32 [N, D]", what, features.str());
    const std::vector<float> values = features.to_vector<float>();
    const auto bad = std::ranges::find_if_not(values, [](float value) { return std::isfinite(value); });
    RADIAL_CHECK(bad == values.end(), "nearest_neighbours: {}: row {} has the element {}", what,
                 (bad - values.begin()) / std::max<std::int64_t>(1, features.size(1)), *bad);
}

/// Returns numbers [rows, samples] on the CPU that rank `samples` by their distance from each of `rows`: the negative
/// cosine or the squared Euclidean distance.
Tensor distances_of(const Tensor& rows, const Tensor& samples, FeatureDistance distance) {
    return (distance == FeatureDistance::cosine ? -cosines(rows, samples) : squared_distances(rows, samples))
        .to(Device{});
}

/// Adds the results of one query to `sums`. `others` is the number of other samples of the query's class; `hits` says
/// for each of its nearest neighbours, the nearest first, whether the neighbour is of that class.
void add_query(const std::vector<bool>& hits, std::int64_t others, const RetrievalOptions& options,
               RetrievalMetrics& sums) {
    std::int64_t found = 0;
    double precisions = 0;
    for (std::int64_t i = 0; i < others; ++i) {
        if (!hits[static_cast<std::size_t>(i)]) continue;
        ++found;
        precisions += static_cast<double>(found) / static_cast<double>(i + 1);
    }
    ++sums.queries;
    sums.r_precision += static_cast<double>(found) / static_cast<double>(others);
    sums.map_at_r += precisions / static_cast<double>(others);
    const auto first = std::ranges::find(hits, true) - hits.begin();
    for (std::size_t k = 0; k < options.recall_at.size(); ++k)
        if (first < std::min<std::int64_t>(options.recall_at[k], std::ssize(hits))) ++sums.recall[k];
}

}  // namespace

RetrievalMetrics retrieval_metrics(const Tensor& features, const Tensor& labels, const RetrievalOptions& options) {
    check(features, labels, options);
    const NoGrad no_grad;
    const std::span<const std::int64_t> classes = labels.values<std::int64_t>();
    std::map<std::int64_t, std::int64_t> sizes;
    for (const std::int64_t label : classes) ++sizes[label];
    RetrievalMetrics result{.recall = std::vector<double>(options.recall_at.size(), 0.0)};
    std::int64_t most = 0;  // number of neighbours that recall@K needs
    for (const std::int64_t k : options.recall_at) most = std::max(most, k);

    const std::int64_t samples = features.size(0),
                       block = std::max<std::int64_t>(1, most_distances / std::max<std::int64_t>(1, samples));
    std::vector<std::int64_t> order;
    std::vector<bool> hits;
    for (std::int64_t begin = 0; begin < samples; begin += block) {
        const std::int64_t end = std::min(samples, begin + block);
        const Tensor distances = distances_of(features.rows(begin, end), features, options.distance);
        const std::span<const float> values = distances.values<float>();
        for (std::int64_t query = begin; query < end; ++query) {
            const std::int64_t label = classes[static_cast<std::size_t>(query)], others = sizes.at(label) - 1;
            if (others == 0) continue;
            const auto row =
                values.subspan(static_cast<std::size_t>((query - begin) * samples), static_cast<std::size_t>(samples));
            hits.clear();
            for (const std::int64_t neighbour : nearest(row, query, std::max(others, most), order))
                hits.push_back(classes[static_cast<std::size_t>(neighbour)] == label);
            add_query(hits, others, options, result);
        }
    }
    if (result.queries == 0) return result;
    const auto queries = static_cast<double>(result.queries);
    result.r_precision /= queries;
    result.map_at_r /= queries;
    for (double& recall : result.recall) recall /= queries;
    return result;
}

std::vector<std::vector<Neighbour>> nearest_neighbours(const Tensor& queries, const Tensor& samples, std::int64_t count,
                                                       FeatureDistance distance) {
    check_features("queries", queries);
    check_features("samples", samples);
    RADIAL_CHECK(queries.size(1) == samples.size(1),
                 "nearest_neighbours: queries have {} elements, samples {}, expected the same", queries.size(1),
                 samples.size(1));
    RADIAL_CHECK(count >= 1, "nearest_neighbours: {} neighbours asked for, expected at least 1", count);
    const NoGrad no_grad;
    const bool cosine = distance == FeatureDistance::cosine;
    const std::int64_t number = samples.size(0),
                       block = std::max<std::int64_t>(1, most_distances / std::max<std::int64_t>(1, number));
    std::vector<std::vector<Neighbour>> all;
    std::vector<std::int64_t> order;
    for (std::int64_t begin = 0; begin < queries.size(0); begin += block) {
        const std::int64_t end = std::min(queries.size(0), begin + block);
        const Tensor distances = distances_of(queries.rows(begin, end), samples, distance);
        const std::span<const float> values = distances.values<float>();
        for (std::int64_t query = 0; query < end - begin; ++query) {
            const auto row = values.subspan(static_cast<std::size_t>(query * number), static_cast<std::size_t>(number));
            std::vector<Neighbour>& found = all.emplace_back();
            for (const std::int64_t index : nearest(row, nobody, count, order)) {
                const double value = row[static_cast<std::size_t>(index)];
                found.push_back({.index = index, .distance = cosine ? 1 + value : std::sqrt(std::max(0.0, value))});
            }
        }
    }
    return all;
}

}  // namespace radial::train
