// Divides data sets at random, class by class if they have classes.
#include "radial/data/split.h"

#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"
#include "radial/data/image_set.h"
#include "radial/data/seeds.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <numeric>
#include <utility>

namespace radial::data {
namespace {

/// The number of the random stream for divisions. The orders of epochs use the streams from 0 on.
constexpr std::int64_t split_stream = -1;

/// The set's images at `indices`. Images in memory are copied.
ImageSet selected(const ImageSet& set, const std::vector<std::int64_t>& indices) {
    ImageSet part = set;
    const auto count = std::ssize(indices);
    part.labels = Tensor::empty({count}, DType::int64, Device{});
    const auto labels = part.labels.values<std::int64_t>();
    const auto all_labels = set.labels.values<std::int64_t>();
    for (std::size_t i = 0; i < indices.size(); ++i) labels[i] = all_labels[static_cast<std::size_t>(indices[i])];
    if (set.files) {
        std::vector<std::filesystem::path> files;
        files.reserve(indices.size());
        for (const std::int64_t index : indices) files.push_back((*set.files)[static_cast<std::size_t>(index)]);
        part.files = std::make_shared<const std::vector<std::filesystem::path>>(std::move(files));
        return part;
    }
    const std::int64_t bytes = set.images.size(1) * set.images.size(2) * set.images.size(3);
    part.images =
        Tensor::empty({count, set.images.size(1), set.images.size(2), set.images.size(3)}, DType::uint8, Device{});
    std::uint8_t* out = part.images.data<std::uint8_t>();
    for (const std::int64_t index : indices) {
        std::memcpy(out, set.images.data<std::uint8_t>() + index * bytes, static_cast<std::size_t>(bytes));
        out += bytes;
    }
    return part;
}

void check_fraction(double fraction) {
    RADIAL_CHECK(fraction > 0 && fraction < 1, "split: the fraction to hold out is {}, expected 0 < fraction < 1",
                 fraction);
}

/// The number of samples to hold out of `samples`.
std::int64_t share_of(std::int64_t samples, double fraction) {
    if (samples < 2) return 0;
    return std::clamp<std::int64_t>(std::llround(fraction * static_cast<double>(samples)), 1, samples - 1);
}

/// Moves a random share of `samples` to `parts.held_out`, and the others to `parts.train`.
void divide(const std::vector<std::int64_t>& samples, double fraction, Generator& generator, SplitIndices& parts) {
    const std::int64_t held = share_of(std::ssize(samples), fraction);
    const std::vector<std::int64_t> order = permutation(std::ssize(samples), generator);
    for (std::size_t i = 0; i < order.size(); ++i)
        (std::cmp_less(i, held) ? parts.held_out : parts.train).push_back(samples[static_cast<std::size_t>(order[i])]);
}

SplitIndices in_order(SplitIndices parts) {
    std::ranges::sort(parts.train);
    std::ranges::sort(parts.held_out);
    return parts;
}

}  // namespace

SplitIndices stratified_split(std::span<const std::int64_t> labels, double fraction, std::uint64_t seed) {
    check_fraction(fraction);
    std::map<std::int64_t, std::vector<std::int64_t>> classes;
    for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(static_cast<std::int64_t>(i));
    Generator generator(stream_seed(seed, split_stream));
    SplitIndices parts;
    for (const auto& [label, samples] : classes) divide(samples, fraction, generator, parts);
    RADIAL_CHECK(!parts.held_out.empty(), "split: no class has two samples, so that none of {} can be held out",
                 labels.size());
    return in_order(std::move(parts));
}

SplitIndices random_split(std::int64_t samples, double fraction, std::uint64_t seed) {
    check_fraction(fraction);
    RADIAL_CHECK(samples >= 2, "split: {} sample{}, expected at least 2", samples, samples == 1 ? "" : "s");
    std::vector<std::int64_t> all(static_cast<std::size_t>(samples));
    std::iota(all.begin(), all.end(), 0);
    Generator generator(stream_seed(seed, split_stream));
    SplitIndices parts;
    divide(all, fraction, generator, parts);
    return in_order(std::move(parts));
}

std::shared_ptr<Dataset> select(const std::shared_ptr<const Dataset>& set, const std::vector<std::int64_t>& indices) {
    const auto* const images = dynamic_cast<const ImageSet*>(set.get());
    if (images == nullptr) return std::make_shared<Subset>(set, indices);
    for (const std::int64_t index : indices)
        RADIAL_CHECK(index >= 0 && index < set->size(), "select: sample {} of {} asked for", index, set->size());
    return std::make_shared<ImageSet>(selected(*images, indices));
}

SplitSets split(const std::shared_ptr<const Dataset>& set, double fraction, std::uint64_t seed) {
    const bool classes = set->classes() > 0;
    const SplitIndices parts = classes ? stratified_split(labels_of(*set).values<std::int64_t>(), fraction, seed)
                                       : random_split(set->size(), fraction, seed);
    SplitSets sets{.train = select(set, parts.train), .held_out = select(set, parts.held_out)};
    sets.held_out->notes.clear();  // the reader's notes are about the whole set
    return sets;
}

}  // namespace radial::data
