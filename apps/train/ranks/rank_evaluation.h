// Measuring on all ranks at once.
#pragma once

#include "radial/apps/train/evaluate.h"
#include "radial/core/distributed/communicator.h"

namespace radial::train {

/// What evaluate() finds in the whole set when each rank has evaluated its part of each batch (`loader` with its rank):
/// the same on every rank, in the order of the samples' numbers. Throws RankLost.
Evaluation merge_evaluations(Communicator& ranks, const Evaluation& own);

}  // namespace radial::train
