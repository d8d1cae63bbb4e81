// The thread that makes all MPI calls, and the operations it runs.
#pragma once

#include "radial/core/distributed/communicator.h"

// Without the deprecated C++ bindings of MPI.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace radial::mpi {

/// One non-blocking MPI operation.
struct Operation {
    std::string_view name;                             ///< a string literal, for errors
    std::function<int(MPI_Comm, MPI_Request*)> start;  ///< returns an MPI error code; runs on the engine's thread
    // Written by the engine while it holds its mutex.
    bool done = false;
    std::string error;
    OperationTimes times;
};

/// The position of this process among the ranks.
struct Standing {
    int rank = 0, size = 1, local_rank = 0, local_size = 1;
    std::vector<std::int64_t> local_processes;  ///< process IDs of the ranks on this host, by local rank
};

/// Initialises MPI on a separate thread that makes all MPI calls, so that any level of thread support suffices.
/// Operations start in the order of submit() and run concurrently. The thread polls them continuously while a caller
/// waits, and only occasionally otherwise, to leave the processor to the computation of gradients.
class Engine {
public:
    explicit Engine(RankOptions options);
    /// Waits for active operations and finalises MPI, except in the cases described at join_ranks().
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    const Standing& standing() const { return standing_; }
    std::shared_ptr<Operation> submit(std::string_view name, std::function<int(MPI_Comm, MPI_Request*)> start);
    /// Waits for an operation. Throws RankLost, after which the memory of operations is no longer written.
    void wait(const Operation& operation);
    /// Declares that all ranks are about to end, possibly with exceptions.
    void end_together();

private:
    struct Active {
        std::shared_ptr<Operation> operation;
        MPI_Request request;
    };
    using Clock = std::chrono::steady_clock;

    void run();
    void initialise();
    void work();
    void begin(std::vector<Active>& active);
    bool advance(std::vector<Active>& active);
    void end(Operation& operation, int code);
    void rest();
    void check_others(std::unique_lock<std::mutex>& lock, const Operation& operation, Clock::time_point since);
    [[noreturn]] void lose(std::unique_lock<std::mutex>& lock, const std::string& message);

    RankOptions options_;
    Standing standing_;
    MPI_Comm comm_ = MPI_COMM_NULL;

    std::mutex mutex_;
    std::condition_variable work_, done_;
    // ---- guarded ----
    std::deque<std::shared_ptr<Operation>> submitted_;
    int waiting_ = 0;       ///< number of callers in wait()
    bool ready_ = false;    ///< MPI has been initialised, or has failed
    bool ending_ = false;   ///< no further operations will be submitted
    bool lost_ = false;     ///< another rank was or may be lost, so MPI is not finalised
    bool stopped_ = false;  ///< the thread no longer accesses operations
    bool ends_with_others_ = false;
    std::exception_ptr failure_;

    std::optional<Clock::time_point> asked_to_end_;  ///< when wait() first noticed the request to end
    std::thread thread_;
};

}  // namespace radial::mpi
