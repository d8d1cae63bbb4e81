// The thread that makes all calls of MPI, and the operations it is handed.
#pragma once

#include "radial/core/distributed/communicator.h"

// Without the C++ bindings that MPI has dropped.
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

/// One non-blocking operation of MPI.
struct Operation {
    std::string_view name;                             ///< a literal, for errors
    std::function<int(MPI_Comm, MPI_Request*)> start;  ///< gives MPI's code; runs on the engine's thread
    // Written by the engine, with its mutex held.
    bool done = false;
    std::string error;
    OperationTimes times;
};

/// Where this process stands among the ranks.
struct Standing {
    int rank = 0, size = 1, local_rank = 0, local_size = 1;
    std::vector<std::int64_t> local_processes;  ///< process numbers of the ranks on this host, by local rank
};

/// Initialises MPI on a thread of its own, where every call is made, so that any level of thread support will do.
/// Operations start in the order of submit() and go on beside each other. The thread looks after them without pause
/// while somebody waits, and now and then otherwise, because the processor has a gradient to compute.
class Engine {
public:
    explicit Engine(RankOptions options);
    /// Waits for what is under way and finalises MPI; see join_ranks() for when it does not.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    const Standing& standing() const { return standing_; }
    std::shared_ptr<Operation> submit(std::string_view name, std::function<int(MPI_Comm, MPI_Request*)> start);
    /// Throws RankLost, after which nothing is written to any operation's memory.
    void wait(const Operation& operation);
    /// All ranks end now, even if by an exception.
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
    int waiting_ = 0;       ///< callers in wait()
    bool ready_ = false;    ///< MPI is initialised, or has failed
    bool ending_ = false;   ///< nothing more will be submitted
    bool lost_ = false;     ///< there is nobody to finalise with
    bool stopped_ = false;  ///< the thread touches nothing any more
    bool ends_with_others_ = false;
    std::exception_ptr failure_;

    std::optional<Clock::time_point> asked_to_end_;  ///< when wait() first saw it
    std::thread thread_;
};

}  // namespace radial::mpi
