// Evaluation on all ranks at once.
#pragma once

#include "radial/apps/train/evaluate.h"
#include "radial/core/distributed/communicator.h"

namespace radial::train {

/// Merges the evaluations of the ranks, each of which has evaluated its part of each batch (`loader` with its rank).
/// The result is that of evaluate() on the whole set. It is the same on every rank, ordered by the indices of the
/// samples. Throws RankLost.
Evaluation merge_evaluations(Communicator& ranks, const Evaluation& own);

}  // namespace radial::train
