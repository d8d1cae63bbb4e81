// Draws the samples of an epoch, which depend only on the seed and the number of the epoch.
#include "radial/data/sampling.h"

#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"
#include "radial/data/seeds.h"

#include <map>
#include <numeric>
#include <unordered_map>

namespace radial::data {

std::vector<std::int64_t> epoch_order(std::int64_t size, bool shuffle, std::uint64_t seed, std::int64_t epoch) {
    RADIAL_CHECK(size >= 0, "epoch_order: size is {}, expected at least 0", size);
    if (shuffle) {
        Generator generator(stream_seed(seed, epoch));
        return permutation(size, generator);
    }
    std::vector<std::int64_t> order(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), 0);
    return order;
}

std::vector<std::int64_t> balanced_order(std::span<const std::int64_t> labels, std::uint64_t seed, std::int64_t epoch) {
    std::map<std::int64_t, std::vector<std::int64_t>> samples;  // by class
    for (std::size_t i = 0; i < labels.size(); ++i) samples[labels[i]].push_back(static_cast<std::int64_t>(i));
    if (samples.empty()) return {};
    Generator generator(stream_seed(seed, epoch));
    const std::int64_t total = std::ssize(labels), classes = std::ssize(samples), each = total / classes;
    const std::vector<std::int64_t> lots = permutation(classes, generator);
    std::vector<std::int64_t> chosen;
    for (std::int64_t number = 0; const auto& [label, own] : samples) {
        const bool one_more = lots[static_cast<std::size_t>(number++)] < total % classes;
        const std::vector<std::int64_t> order = permutation(std::ssize(own), generator);
        for (std::int64_t i = 0; i < each + (one_more ? 1 : 0); ++i) {
            const std::int64_t next = order[static_cast<std::size_t>(i % std::ssize(own))];
            chosen.push_back(own[static_cast<std::size_t>(next)]);
        }
    }
    std::vector<std::int64_t> mixed;
    for (const std::int64_t at : permutation(total, generator)) mixed.push_back(chosen[static_cast<std::size_t>(at)]);
    return mixed;
}

std::vector<Draw> repeated_draws(std::span<const std::int64_t> order, std::int64_t repeats) {
    RADIAL_CHECK(repeats >= 1, "repeated augmentation: each sample {} times, expected at least 1", repeats);
    std::unordered_map<std::int64_t, std::int64_t> uses;
    std::vector<Draw> draws;
    draws.reserve(order.size());
    for (const std::int64_t sample : order) {
        for (std::int64_t i = 0; i < repeats && draws.size() < order.size(); ++i)
            draws.push_back({.sample = sample, .copy = uses[sample]++});
    }
    return draws;
}

}  // namespace radial::data
