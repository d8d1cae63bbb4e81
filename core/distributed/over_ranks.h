// Selects which computations over a batch extend over the batches of all ranks.
#pragma once

#include "radial/core/distributed/communicator.h"

namespace radial {

/// Options of OverRanks.
struct OverRanksOptions {
    bool batch_norm = false;  ///< batch norms take their statistics over all ranks
};

/// While the object exists, the batch of this thread is one rank's part of a larger batch. Losses that keep state about
/// the samples they have seen (centres, running means, scales) use the samples of all ranks, so the state is the same
/// on each rank; batch norms in training use the statistics of all ranks if the options say so. Every rank must then
/// run the same layers and losses in the same order, forward and backward. Has no effect with a single rank. Objects
/// can be nested; the innermost is in effect.
class OverRanks {
public:
    /// `ranks` must live until backward() has returned.
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

/// The ranks whose batches form one batch; null when this rank's batch is complete.
Communicator* batch_ranks();
/// The ranks over which batch norms take their statistics in training; null for this rank alone.
Communicator* batch_norm_ranks();

/// The rows of every rank's x, in order of rank, without history. x.detach() when this rank's batch is complete.
Tensor rows_of_all_ranks(const Tensor& x);

}  // namespace radial
