// Which of the things that look at a whole batch look at that of all ranks.
#pragma once

#include "radial/core/distributed/communicator.h"

namespace radial {

struct OverRanksOptions {
    bool batch_norm = false;  ///< batch norms take their statistics over all ranks
};

/// While one lives, this thread's batch is a rank's part of a larger one: losses that keep something of the samples
/// they saw (centres, running means, scales) take in those of all ranks, so that it is the same on each of them, and
/// training batch norms take the statistics of all where the options say so. Every rank must then run the same layers
/// and losses in the same order, forward and backward. `ranks` must live until backward() is over. With a single rank
/// nothing changes. Can be nested; the innermost counts.
class OverRanks {
public:
    explicit OverRanks(Communicator& ranks, OverRanksOptions options = {});
    ~OverRanks();
    OverRanks(const OverRanks&) = delete;
    OverRanks& operator=(const OverRanks&) = delete;

private:
    Communicator* ranks_;
    bool batch_norm_;
    const OverRanks* previous_;

    friend Communicator* batch_ranks();
    friend Communicator* batch_norm_ranks();
};

/// The ranks whose batches are parts of one; null where this rank's batch is all there is.
Communicator* batch_ranks();
/// The ranks that training batch norms are to look at; null for this one alone.
Communicator* batch_norm_ranks();

/// The rows of all ranks' x, in order of rank, without history; x's own (detached) where this rank's batch is all there
/// is.
Tensor rows_of_all_ranks(const Tensor& x);

}  // namespace radial
