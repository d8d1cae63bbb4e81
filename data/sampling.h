// Selects the samples of an epoch and their order.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace radial::data {

/// How the samples of an epoch are drawn.
enum class Sampling : std::uint8_t {
    uniform,   ///< each sample once
    balanced,  ///< equally many samples of each class: small classes are repeated, large ones are used only in part
};
/// The names of the choices.
constexpr auto words_of(Sampling /*value*/) { return std::to_array<std::string_view>({"uniform", "balanced"}); }

/// One use of a sample in an epoch.
struct Draw {
    std::int64_t sample = 0;  ///< index of the sample
    std::int64_t copy = 0;    ///< number of earlier uses of the sample in the epoch
    friend bool operator==(const Draw&, const Draw&) = default;
};

/// The order in which samples are visited in `epoch`: 0 .. size-1, permuted if `shuffle` is set. The permutation is
/// drawn from the Philox stream with seed stream_seed(seed, epoch), so that adjacent seeds do not share any order.
/// Throws Error when size is negative.
std::vector<std::int64_t> epoch_order(std::int64_t size, bool shuffle, std::uint64_t seed, std::int64_t epoch);

/// As many samples as there are labels, in random order, with the same number of each class that occurs; if the number
/// of samples is not a multiple of the number of classes, some classes, drawn at random, have one more. The samples of
/// a class are used in random order, and none is used again before all of them have been used. The order depends on
/// seed and epoch as in epoch_order().
std::vector<std::int64_t> balanced_order(std::span<const std::int64_t> labels, std::uint64_t seed, std::int64_t epoch);

/// The draws of an epoch that uses each of the first samples of `order` `repeats` times in a row, as many times as
/// `order` has elements in total (repeated augmentation: Hoffer et al., "Augment your batch", CVPR 2020; Berman et al.,
/// "MultiGrain", 2019). Every use of a sample has a different Draw::copy, whether the sample is repeated in `order` or
/// by `repeats`. Throws Error when `repeats` is below 1.
std::vector<Draw> repeated_draws(std::span<const std::int64_t> order, std::int64_t repeats);

}  // namespace radial::data
