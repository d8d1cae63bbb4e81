// Divides a data set into a part to train on and a part that is held out.
#pragma once

#include "radial/data/dataset.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace radial::data {

/// The indices of the samples in each part of a set, in ascending order.
struct SplitIndices {
    std::vector<std::int64_t> train;     ///< to train on
    std::vector<std::int64_t> held_out;  ///< all others
};

/// Holds out a share of each class, drawn at random by `seed`: round(fraction * n) of the n samples of a class, but at
/// least one if it has two or more, and never all. Throws Error unless 0 < fraction < 1, and when no sample would be
/// held out.
SplitIndices stratified_split(std::span<const std::int64_t> labels, double fraction, std::uint64_t seed);
/// Like stratified_split(), for `samples` samples without classes.
SplitIndices random_split(std::int64_t samples, double fraction, std::uint64_t seed);

/// The samples of `set` at `indices`, with the names of its classes. For an ImageSet the result is an ImageSet. Throws
/// Error when an index is not in the set.
std::shared_ptr<Dataset> select(const std::shared_ptr<const Dataset>& set, const std::vector<std::int64_t>& indices);

/// A set divided in two.
struct SplitSets {
    std::shared_ptr<Dataset> train;     ///< the part to train on
    std::shared_ptr<Dataset> held_out;  ///< the other part
};
/// Divides `set` by stratified_split() if it has class names, and otherwise by random_split(). Throws as these do.
SplitSets split(const std::shared_ptr<const Dataset>& set, double fraction, std::uint64_t seed);

}  // namespace radial::data
