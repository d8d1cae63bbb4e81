// The ranks of a training run: who does what, what they agree on between steps, and that all do the same run.
#pragma once

#include "radial/apps/cli/run/train_options.h"
#include "radial/core/distributed/communicator.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace radial::train {

/// What is to happen between two steps, on all ranks alike.
struct BetweenSteps {
    bool save = false;  ///< the first rank's clock or count of steps says so
    int signal = 0;     ///< that any rank has received; 0 for none
};

/// This process among the ranks that mpirun has started; a single one without mpirun. The first rank alone prints and
/// writes.
class RankSession {
public:
    /// Joins the ranks. Throws Error when --batch does not divide among them, for several ranks in a build without MPI,
    /// and for options that several ranks cannot have.
    explicit RankSession(const TrainOptions& options);

    Communicator& ranks() const { return *ranks_; }
    bool several() const { return ranks_->size() > 1; }
    bool first() const { return ranks_->rank() == 0; }
    /// Threads that this rank computes with: what --threads says, else its part of the host's processors.
    int threads() const { return threads_; }
    /// The device that --device names; "cuda" gives each rank on a host a different device.
    const std::string& device() const { return device_; }
    /// "ranks: 2, 64 images a step and 1 thread each", and what to look at where mpirun has left processors out.
    std::string describe() const;
    /// Throws Error when the last batch of so many samples, where it is not left out, leaves a rank without any, or
    /// cannot be accumulated.
    void check_last_batch(std::int64_t samples) const;

    /// What all ranks do next: each says what it has received, the first also whether it wants to save.
    BetweenSteps agree(const BetweenSteps& own) const;
    /// Tells that all ranks end now, each by an exception.
    void end_together() const { ranks_->end_together(); }

private:
    std::int64_t batch_, accumulate_;
    bool drop_last_;
    std::unique_ptr<Communicator> ranks_;
    int threads_ = 0, processors_ = 0, allowed_ = 0;
    std::string device_;
};

/// Throws Error on every rank, naming two ranks and what differs, unless all have the same program, the same options
/// (except those that may_differ() when a run is resumed, which say where ranks read and how they compute) and the same
/// data (data_record.h). Called by all ranks; throws RankLost.
void check_same_run(const RankSession& session, const nlohmann::ordered_json& options,
                    const nlohmann::ordered_json& data);

/// The same for the step after which a resumed run goes on: ranks may see different folders.
void check_same_step(const RankSession& session, std::int64_t step);

}  // namespace radial::train
