// Table 1 of the paper: how far features lie from their own class's prototype early in training.
#pragma once

#include "radial/apps/sweep/sweep_page.h"

#include <cstdint>
#include <span>

namespace radial::train {

/// Squared Euclidean distances between features and the prototypes of their classes.
struct OwnDistances {
    double min = 0, max = 0, mean = 0, variance = 0;
};
/// `features` [N, dim], `labels` [N], `prototypes` [classes, dim], N at least 1.
OwnDistances own_distances(std::span<const float> features, std::span<const std::int64_t> labels,
                           std::span<const float> prototypes, std::size_t dim);

/// The distances over the test set at a few steps of each run that is done, from its snapshots, below the paper's.
SweepSection distance_section(const ImageTask& task, const SweepOptions& options, const std::vector<SweptRun>& runs);

}  // namespace radial::train
