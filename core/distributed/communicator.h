// The processes that train one network together (ranks), and what they tell each other.
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

/// Another rank that has ended, or that did not come to a common operation in time.
class RankLost : public Error {
public:
    using Error::Error;
};

/// When an operation ran. Both are 0 for one that needed no time.
struct OperationTimes {
    std::chrono::steady_clock::time_point begin, end;
};

/// An operation that goes on beside what the caller does. Its tensor must neither be written nor freed before it ends.
class PendingOperation {
public:
    virtual ~PendingOperation() = default;
    /// Returns when it has ended; on a device, when what is submitted from now on sees the result. Throws RankLost.
    virtual void wait() = 0;
    /// Of one that wait() has returned for; zeros on a device, where the host does not see them.
    virtual OperationTimes times() const { return {}; }
};

class DeviceCollectives;

/// The ranks of a run. Every member that has to do with the other ranks must be called by all of them, in the same
/// order and with tensors of the same shape and type; otherwise they wait for each other until the timeout. For one
/// thread.
///
/// Tensors on the CPU travel by MPI, on a thread of its own that makes all calls of MPI; those on a CUDA device by NCCL
/// (core/distributed/device_collectives.h). With one rank nothing travels and MPI is never initialised.
class Communicator {
public:
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;
    virtual ~Communicator();

    int rank() const { return place_.rank; }
    int size() const { return place_.size; }
    /// Among the ranks on this host, whose number is local_size().
    int local_rank() const { return place_.local_rank; }
    int local_size() const { return place_.local_size; }

    /// x becomes its sum over the ranks, in place: float32, float64 or int64, the same bits on every rank.
    /// Throws RankLost, and Error for another type.
    void sum(const Tensor& x);
    std::unique_ptr<PendingOperation> start_sum(const Tensor& x);
    /// x becomes `root`'s. Throws RankLost.
    void broadcast(const Tensor& x, int root = 0);
    /// Every rank's `bytes`, which may differ in length, in order of rank. Throws RankLost.
    virtual std::vector<std::string> gather(const std::string& bytes) = 0;
    /// Every rank's rows [n, ...] of a tensor, in order of rank; n may differ. On x's device. Throws RankLost.
    Tensor gather_rows(const Tensor& x);
    /// Returns when every rank has called it. Throws RankLost.
    virtual void barrier() = 0;
    /// Tells that all ranks end now, each by an exception of its own: MPI ends in order nevertheless.
    virtual void end_together() = 0;

protected:
    struct Place {
        int rank = 0, size = 1, local_rank = 0, local_size = 1;
    };
    explicit Communicator(Place place);
    virtual std::unique_ptr<PendingOperation> start_host_sum(const Tensor& x) = 0;
    virtual void host_broadcast(const Tensor& x, int root) = 0;

private:
    DeviceCollectives& device(Device device);

    Place place_;
    std::unique_ptr<DeviceCollectives> device_;
};

struct RankOptions {
    /// How long a rank waits for the others before it throws RankLost: they may be evaluating, or writing a checkpoint.
    std::chrono::milliseconds timeout = std::chrono::minutes(5);
    /// Whether this process is asked to end. Then it waits for the others no longer than `grace`, because mpirun ends
    /// all ranks so when one has died, and kills them a second later. May be empty.
    std::function<bool()> ending = {};
    std::chrono::milliseconds grace = std::chrono::milliseconds(400);
};

/// The rank of this process and their number, as mpirun's environment says (Open MPI's and MPICH's); 0 of 1 without it.
/// Throws Error when the variables are no numbers or do not fit.
struct RankEnvironment {
    int rank = 0, size = 1;
};
RankEnvironment rank_environment();

/// Joins the ranks that mpirun has started, or a single one without it. Once a process. Throws Error for several ranks
/// in a build without MPI. What is returned ends MPI when it goes; but not when a rank was lost, or while an exception
/// is thrown, because then the others do not come: mpirun ends them once this process has ended.
std::unique_ptr<Communicator> join_ranks(const RankOptions& options = {});
/// A single rank, whatever the environment says.
std::unique_ptr<Communicator> single_rank();

}  // namespace radial
