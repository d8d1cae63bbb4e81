// Merges the evaluations of the ranks in the order of the data set.
#include "radial/apps/train/ranks/rank_evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace radial::train {
namespace {

template <class T>
std::vector<T> sum(Communicator& ranks, const std::vector<T>& own) {
    if (own.empty()) return own;
    const Tensor total = Tensor::from(own, {std::ssize(own)}, Device{});
    ranks.sum(total);
    return total.to_vector<T>();
}

/// The values of all ranks, concatenated.
template <class T>
std::vector<T> gather(Communicator& ranks, const std::vector<T>& own) {
    const std::string bytes(reinterpret_cast<const char*>(own.data()), own.size() * sizeof(T));
    std::vector<T> all;
    for (const std::string& part : ranks.gather(bytes)) {
        const std::size_t before = all.size();
        all.resize(before + part.size() / sizeof(T));
        if (!part.empty()) std::memcpy(all.data() + before, part.data(), part.size());
    }
    return all;
}

/// Replaces `values` by those of all ranks, rearranged by `order`. A sample may have several values.
template <class T>
void merge(Communicator& ranks, std::vector<T>& values, const std::vector<std::size_t>& order) {
    const std::vector<T> all = gather(ranks, values);
    const std::size_t width = order.empty() ? 0 : all.size() / order.size();
    values.clear();
    for (const std::size_t i : order)
        values.insert(values.end(), all.begin() + static_cast<std::ptrdiff_t>(i * width),
                      all.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
}

}  // namespace

Evaluation merge_evaluations(Communicator& ranks, const Evaluation& own) {
    if (ranks.size() == 1) return own;
    Evaluation whole = own;
    const std::vector<double> sums =
        sum(ranks, std::vector<double>{own.loss * own.weight, own.weight, static_cast<double>(own.total),
                                       static_cast<double>(own.correct)});
    whole.weight = sums[1];
    whole.total = std::llround(sums[2]);
    whole.correct = std::llround(sums[3]);
    whole.loss = whole.weight > 0 ? sums[0] / whole.weight : 0;
    const std::vector<std::int64_t> samples = gather(ranks, own.samples);
    std::vector<std::size_t> order(samples.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return samples[a] < samples[b]; });
    for (std::vector<std::int64_t>* const values :
         {&whole.labels, &whole.samples, &whole.predicted, &whole.label_ranks})
        merge(ranks, *values, order);
    for (std::vector<float>* const values :
         {&whole.features, &whole.confidences, &whole.own_distances, &whole.nearest_distances})
        merge(ranks, *values, order);
    return whole;
}

}  // namespace radial::train
