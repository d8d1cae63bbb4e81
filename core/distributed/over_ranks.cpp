// The scope in which a batch is a part of a larger one.
#include "radial/core/distributed/over_ranks.h"

namespace radial {
namespace {

thread_local const OverRanks* innermost = nullptr;

}  // namespace

OverRanks::OverRanks(Communicator& ranks, OverRanksOptions options)
    : ranks_(ranks.size() > 1 ? &ranks : nullptr), batch_norm_(options.batch_norm), previous_(innermost) {
    innermost = this;
}
OverRanks::~OverRanks() { innermost = previous_; }

Communicator* batch_ranks() { return innermost == nullptr ? nullptr : innermost->ranks_; }

Communicator* batch_norm_ranks() {
    return innermost == nullptr || !innermost->batch_norm_ ? nullptr : innermost->ranks_;
}

Tensor rows_of_all_ranks(const Tensor& x) {
    Communicator* const ranks = batch_ranks();
    return ranks == nullptr ? x.detach() : ranks->gather_rows(x);
}

}  // namespace radial
