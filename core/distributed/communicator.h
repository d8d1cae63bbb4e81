// Ranks that train one network together: sums and broadcasts over them, and computations over the batches of all.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/core/util/error.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Thrown when another rank has ended, or did not join a collective operation in time.
class RankLost : public Error {
public:
    using Error::Error;
};

/// The start and end of an operation. Both are zero when they were not measured: for a single rank, or with NCCL.
struct OperationTimes {
    std::chrono::steady_clock::time_point begin, end;  ///< of the operation
};

/// An operation that runs in the background. Its tensor must be neither written nor freed before the operation ends.
class PendingOperation {
public:
    virtual ~PendingOperation() = default;
    /// Waits until the operation has ended; with NCCL, does not wait but makes work that is submitted from then on run
    /// after the operation. Throws RankLost.
    virtual void wait() = 0;
    /// The start and end of the operation. Valid after wait(); zeros with NCCL, where the host cannot observe them.
    virtual OperationTimes times() const { return {}; }
};

class DeviceCollectives;

/// The ranks of a run. All ranks must call the collective members in the same order, with tensors of the same shape and
/// type; otherwise they wait for each other until the timeout. Must be used from one thread only.
///
/// Tensors on the CPU are sent by MPI, from a thread that makes all MPI calls; tensors on a CUDA device are sent by
/// NCCL, or through the host in builds without it (core/distributed/device_collectives.h). With one rank nothing is
/// sent and MPI is not initialised.
class Communicator {
public:
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;
    virtual ~Communicator();

    /// The number of this rank, from 0.
    int rank() const { return place_.rank; }
    /// The number of ranks.
    int size() const { return place_.size; }
    /// The number of this rank among those on this host, from 0.
    int local_rank() const { return place_.local_rank; }
    /// The number of ranks on this host.
    int local_size() const { return place_.local_size; }

    /// Replaces x by its sum over all ranks, in place. float32, float64 or int64; the result is bitwise equal on every
    /// rank. Throws RankLost, and Error for another type.
    void sum(const Tensor& x);
    /// Starts sum() in the background.
    std::unique_ptr<PendingOperation> start_sum(const Tensor& x);
    /// Replaces x by the x of rank `root`, in place. Throws RankLost.
    void broadcast(const Tensor& x, int root = 0);
    /// The `bytes` of every rank, in order of rank. Lengths may differ. Throws RankLost.
    virtual std::vector<std::string> gather(const std::string& bytes) = 0;
    /// The rows of every rank's x [n, ...], in order of rank, on x's device. n may differ between ranks. Throws
    /// RankLost.
    Tensor gather_rows(const Tensor& x);
    /// Waits until every rank has called it. Throws RankLost.
    virtual void barrier() = 0;
    /// Declares that all ranks are about to end, each with its own exception, so that MPI is finalised in the normal
    /// way.
    virtual void end_together() = 0;

protected:
    /// The position of this rank among all ranks and among those on its host.
    struct Place {
        int rank = 0, size = 1, local_rank = 0, local_size = 1;  ///< as the functions of the same name
    };
    /// Called by derived classes with the position of this rank.
    explicit Communicator(Place place);
    /// Starts sum() of a tensor on the CPU.
    virtual std::unique_ptr<PendingOperation> start_host_sum(const Tensor& x) = 0;
    /// broadcast() of a tensor on the CPU.
    virtual void host_broadcast(const Tensor& x, int root) = 0;

private:
    DeviceCollectives& device(Device device);

    Place place_;
    std::unique_ptr<DeviceCollectives> device_;
};

/// Options of join_ranks().
struct RankOptions {
    /// The time for which a rank waits for the others before it throws RankLost. The others may be evaluating or
    /// writing a checkpoint.
    std::chrono::milliseconds timeout = std::chrono::minutes(5);
    /// Returns whether this process has been asked to end; may be empty. Once asked to end, a process waits for the
    /// others no longer than `grace`: mpirun terminates all ranks when one has died, and kills them a second later.
    std::function<bool()> ending = {};
    /// The time for which a rank waits for the others after it has been asked to end.
    std::chrono::milliseconds grace = std::chrono::milliseconds(400);
};

/// The rank of this process and the number of ranks, as set by mpirun.
struct RankEnvironment {
    int rank = 0, size = 1;  ///< 0 of 1 without mpirun
};
/// Reads the rank and the number of ranks from the environment (Open MPI's or MPICH's variables). Throws Error when the
/// variables are not numbers or do not fit together.
RankEnvironment rank_environment();

/// Joins the ranks that mpirun has started, or makes a single rank without mpirun. May be called once per process.
/// Throws Error for several ranks in a build without MPI. The destructor of the result finalises MPI, except when a
/// rank was lost or an exception is in flight: the other ranks would not take part in finalising, and mpirun terminates
/// them once this process has ended.
std::unique_ptr<Communicator> join_ranks(const RankOptions& options = {});
/// A single rank, regardless of the environment.
std::unique_ptr<Communicator> single_rank();

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

/// The rows of every rank's x, in order of rank, without history. Returns x.detach() when this rank's batch is
/// complete.
Tensor rows_of_all_ranks(const Tensor& x);

}  // namespace radial
