// The ranks of a training run: their roles, their agreement between steps, and checks that all have the same run.
#pragma once

#include "radial/apps/train/training_step.h"
#include "radial/core/distributed/communicator.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace radial::train {

/// The actions between two steps, the same on all ranks.
struct BetweenSteps {
    bool save = false;  ///< save a snapshot, because one is due by the first rank's clock or step count
    int signal = 0;     ///< signal that any rank has received; 0: none
};

/// The options of a run that determine its ranks.
struct RankPlan {
    std::int64_t batch = 128;     ///< number of samples per step, over all ranks
    std::int64_t accumulate = 1;  ///< number of parts of a batch that are computed one after another
    bool drop_last = false;       ///< drop the last batch of an epoch if it is not full
    double timeout = 300;         ///< seconds to wait for another rank
    int threads = 0;              ///< number of compute threads; 0: this rank's share of the host's processors
    std::string device = "cpu";   ///< "cpu", "cuda" or "cuda:N"
    GraphUse graph{};             ///< whether steps are recorded as a CUDA graph
};

/// This process as one of the ranks that mpirun has started, or as a single rank without mpirun. Only the first rank
/// prints and writes.
class RankSession {
public:
    /// Joins the ranks. Throws Error when --batch is not divisible by the number of ranks, for several ranks in a build
    /// without MPI, and for options that cannot be used with several ranks.
    explicit RankSession(const RankPlan& plan);

    Communicator& ranks() const { return *ranks_; }
    bool several() const { return ranks_->size() > 1; }
    bool first() const { return ranks_->rank() == 0; }
    /// The number of compute threads of this rank: --threads, or else its share of the host's processors.
    int threads() const { return plan_.threads; }
    /// The device that --device names; "cuda" gives each rank on a host a different device.
    const std::string& device() const { return plan_.device; }
    /// Text for a log: "ranks: 2, 64 images a step and 1 thread each", with a note if mpirun has restricted the
    /// processors.
    std::string describe() const;
    /// Throws Error when the last batch of `samples` samples, unless it is dropped, leaves a rank without samples or
    /// cannot be divided into parts for --accumulate.
    void check_last_batch(std::int64_t samples) const;

    /// Agrees with all ranks on what to do next. Each rank passes the signal that it has received; the first rank also
    /// passes whether a snapshot is due.
    BetweenSteps agree(const BetweenSteps& own) const;
    /// Tells the other ranks that all ranks end now, each by an exception.
    void end_together() const { ranks_->end_together(); }

private:
    RankPlan plan_;
    std::unique_ptr<Communicator> ranks_;
    int processors_ = 0, allowed_ = 0;
};

/// Checks that all ranks have the same version of the program, the same options and the same data (data_record.h).
/// Options for which may_differ() is true are not compared, because they only say where a rank reads and how it
/// computes. Throws Error on every rank, naming two ranks and what differs. All ranks must call it. Throws RankLost.
void check_same_run(const RankSession& session, const nlohmann::ordered_json& options,
                    const nlohmann::ordered_json& data);

/// Checks that all ranks resume after the same step, because ranks may see different folders. Throws as
/// check_same_run() does. All ranks must call it.
void check_same_step(const RankSession& session, std::int64_t step);

}  // namespace radial::train
