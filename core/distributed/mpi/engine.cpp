// Communication between ranks by MPI: starting, progressing and ending operations, and detecting that another rank is
// lost.
#include "radial/core/distributed/mpi/engine.h"

#include <fmt/format.h>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>
#include <numeric>
#include <utility>

namespace radial::mpi {
namespace {

std::string text_of(int code) {
    std::array<char, MPI_MAX_ERROR_STRING> text{};
    int length = 0;
    if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) return fmt::format("error {}", code);
    return {text.data(), static_cast<std::size_t>(length)};
}

void check(int code, std::string_view call) {
    if (code != MPI_SUCCESS) throw Error(fmt::format("{} failed: {}", call, text_of(code)));
}

bool process_is_there(std::int64_t process) { return kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM; }

}  // namespace

Engine::Engine(RankOptions options) : options_(std::move(options)), thread_([this] { run(); }) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return ready_; });
    if (failure_ == nullptr) return;
    lock.unlock();
    thread_.join();
    std::rethrow_exception(failure_);
}

Engine::~Engine() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        if (std::uncaught_exceptions() > 0 && !ends_with_others_) lost_ = true;
    }
    work_.notify_all();
    thread_.join();
}

std::shared_ptr<Operation> Engine::submit(std::string_view name, std::function<int(MPI_Comm, MPI_Request*)> start) {
    auto operation = std::make_shared<Operation>();
    operation->name = name;
    operation->start = std::move(start);
    {
        const std::lock_guard lock(mutex_);
        submitted_.push_back(operation);
    }
    work_.notify_one();
    return operation;
}

void Engine::wait(const Operation& operation) {
    constexpr std::chrono::milliseconds between_looks(50);
    const Clock::time_point since = Clock::now();
    std::unique_lock lock(mutex_);
    if (lost_) throw RankLost(fmt::format("{}: another rank was lost before", operation.name));
    ++waiting_;
    work_.notify_one();  // the engine's thread may be resting
    while (!operation.done) {
        if (done_.wait_for(lock, between_looks, [&] { return operation.done; })) break;
        try {
            check_others(lock, operation, since);
        } catch (...) {
            --waiting_;
            throw;
        }
    }
    --waiting_;
    if (!operation.error.empty()) lose(lock, fmt::format("{}: {}", operation.name, operation.error));
}

void Engine::check_others(std::unique_lock<std::mutex>& lock, const Operation& operation, Clock::time_point since) {
    const Clock::time_point now = Clock::now();
    for (std::size_t i = 0; i < standing_.local_processes.size(); ++i) {
        if (!process_is_there(standing_.local_processes[i]))
            lose(lock, fmt::format("the process of another rank ({} on this host, local rank {}) has ended",
                                   standing_.local_processes[i], i));
    }
    if (options_.ending && options_.ending()) {
        if (!asked_to_end_) asked_to_end_ = now;
        if (now - *asked_to_end_ > options_.grace)
            lose(lock, fmt::format("this rank is to end and the others do not come to '{}'", operation.name));
    }
    if (now - since > options_.timeout) {
        lose(lock, fmt::format("waited {:.0f} s in '{}' for the other ranks: one hangs, or is far slower",
                               std::chrono::duration<double>(options_.timeout).count(), operation.name));
    }
}

void Engine::lose(std::unique_lock<std::mutex>& lock, const std::string& message) {
    lost_ = true;
    work_.notify_all();
    done_.wait_for(lock, std::chrono::seconds(2), [this] { return stopped_; });
    throw RankLost(fmt::format("rank {} of {}: {}", standing_.rank, standing_.size, message));
}

void Engine::end_together() {
    const std::lock_guard lock(mutex_);
    ends_with_others_ = true;
}

void Engine::run() {
    try {
        initialise();
    } catch (...) {
        failure_ = std::current_exception();
    }
    {
        const std::lock_guard lock(mutex_);
        ready_ = true;
    }
    done_.notify_all();
    if (failure_ != nullptr) return;
    work();
    const std::lock_guard lock(mutex_);
    if (!lost_) MPI_Finalize();
}

void Engine::initialise() {
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    comm_ = MPI_COMM_WORLD;
    check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(comm_, &standing_.rank), "MPI_Comm_rank");
    check(MPI_Comm_size(comm_, &standing_.size), "MPI_Comm_size");
    MPI_Comm host = MPI_COMM_NULL;
    check(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, standing_.rank, MPI_INFO_NULL, &host),
          "MPI_Comm_split_type");
    check(MPI_Comm_rank(host, &standing_.local_rank), "MPI_Comm_rank");
    check(MPI_Comm_size(host, &standing_.local_size), "MPI_Comm_size");
    const std::int64_t own = getpid();
    standing_.local_processes.resize(static_cast<std::size_t>(standing_.local_size));
    check(MPI_Allgather(&own, 1, MPI_INT64_T, standing_.local_processes.data(), 1, MPI_INT64_T, host), "MPI_Allgather");
    check(MPI_Comm_free(&host), "MPI_Comm_free");
    // If a rank runs in another container, its process ID has no meaning here, so no process is checked.
    for (const std::int64_t process : standing_.local_processes) {
        if (process_is_there(process)) continue;
        standing_.local_processes.clear();
        break;
    }
}

void Engine::work() {
    std::vector<Active> active;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            if (active.empty()) work_.wait(lock, [this] { return !submitted_.empty() || ending_ || lost_; });
            if (lost_ || (active.empty() && submitted_.empty())) {
                stopped_ = true;
                done_.notify_all();
                return;
            }
        }
        begin(active);
        if (!advance(active)) rest();
    }
}

/// Starts the operations that have been submitted.
void Engine::begin(std::vector<Active>& active) {
    std::deque<std::shared_ptr<Operation>> fresh;
    {
        const std::lock_guard lock(mutex_);
        fresh.swap(submitted_);
    }
    for (std::shared_ptr<Operation>& operation : fresh) {
        MPI_Request request = MPI_REQUEST_NULL;
        operation->times.begin = Clock::now();
        const int code = operation->start(comm_, &request);
        if (code != MPI_SUCCESS)
            end(*operation, code);
        else
            active.push_back({std::move(operation), request});
    }
}

/// Lets MPI make progress on active operations. Returns whether any has ended.
bool Engine::advance(std::vector<Active>& active) {
    return std::erase_if(active, [this](Active& one) {
               int finished = 0;
               const int code = MPI_Test(&one.request, &finished, MPI_STATUS_IGNORE);
               if (code == MPI_SUCCESS && finished == 0) return false;
               end(*one.operation, code);
               return true;
           }) > 0;
}

void Engine::end(Operation& operation, int code) {
    {
        const std::lock_guard lock(mutex_);
        operation.done = true;
        operation.times.end = Clock::now();
        if (code != MPI_SUCCESS) operation.error = text_of(code);
    }
    done_.notify_all();
}

/// Pauses between two polls: while a caller waits, only yields, so that polling is continuous; otherwise leaves the
/// processor to the caller for a while.
void Engine::rest() {
    constexpr std::chrono::microseconds pause(50);
    std::unique_lock lock(mutex_);
    if (waiting_ == 0 && submitted_.empty()) work_.wait_for(lock, pause);
    if (waiting_ == 0) return;
    lock.unlock();
    std::this_thread::yield();
}

}  // namespace radial::mpi

namespace radial {
namespace {

using mpi::Engine;
using mpi::Operation;

MPI_Datatype type_of(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return MPI_FLOAT;
        case DType::float64:
            return MPI_DOUBLE;
        case DType::int64:
            return MPI_INT64_T;
        default:
            return MPI_BYTE;
    }
}

/// `count` as an int, as MPI expects it. Throws Error if it does not fit.
int count_of(std::size_t count) {
    RADIAL_CHECK(count <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
                 "MPI: {} elements in one message, at most {} can be sent", count, std::numeric_limits<int>::max());
    return static_cast<int>(count);
}

class PendingSum : public PendingOperation {
public:
    PendingSum(Engine& engine, std::shared_ptr<Operation> operation, Tensor x)
        : engine_(engine), operation_(std::move(operation)), x_(std::move(x)) {}
    void wait() override {
        engine_.wait(*operation_);
        x_.bump_version();
    }
    OperationTimes times() const override { return operation_->times; }

private:
    Engine& engine_;
    std::shared_ptr<Operation> operation_;
    Tensor x_;
};

class MpiCommunicator : public Communicator {
public:
    explicit MpiCommunicator(std::unique_ptr<Engine> engine)
        : Communicator({engine->standing().rank, engine->standing().size, engine->standing().local_rank,
                        engine->standing().local_size}),
          engine_(std::move(engine)) {}

    std::vector<std::string> gather(const std::string& bytes) override {
        const auto ranks = static_cast<std::size_t>(size());
        const int own = count_of(bytes.size());
        std::vector<int> counts(ranks), offsets(ranks);
        run("gather", [&](MPI_Comm comm, MPI_Request* request) {
            return MPI_Iallgather(&own, 1, MPI_INT, counts.data(), 1, MPI_INT, comm, request);
        });
        std::partial_sum(counts.begin(), counts.end() - 1, offsets.begin() + 1);
        std::string all(static_cast<std::size_t>(offsets.back()) + static_cast<std::size_t>(counts.back()), '\0');
        run("gather", [&](MPI_Comm comm, MPI_Request* request) {
            return MPI_Iallgatherv(bytes.data(), own, MPI_BYTE, all.data(), counts.data(), offsets.data(), MPI_BYTE,
                                   comm, request);
        });
        std::vector<std::string> parts;
        for (std::size_t i = 0; i < ranks; ++i)
            parts.push_back(all.substr(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(counts[i])));
        return parts;
    }

    void barrier() override {
        run("barrier", [](MPI_Comm comm, MPI_Request* request) { return MPI_Ibarrier(comm, request); });
    }

    void end_together() override { engine_->end_together(); }

protected:
    std::unique_ptr<PendingOperation> start_host_sum(const Tensor& x) override {
        const int count = count_of(static_cast<std::size_t>(x.numel()));
        const MPI_Datatype type = type_of(x.dtype());
        auto operation = engine_->submit("sum", [x, count, type](MPI_Comm comm, MPI_Request* request) {
            return MPI_Iallreduce(MPI_IN_PLACE, x.raw(), count, type, MPI_SUM, comm, request);
        });
        return std::make_unique<PendingSum>(*engine_, std::move(operation), x);
    }

    void host_broadcast(const Tensor& x, int root) override {
        const MPI_Datatype type = type_of(x.dtype());
        const int count = count_of(type == MPI_BYTE ? x.bytes() : static_cast<std::size_t>(x.numel()));
        run("broadcast",
            [&](MPI_Comm comm, MPI_Request* request) { return MPI_Ibcast(x.raw(), count, type, root, comm, request); });
        x.bump_version();
    }

private:
    template <class F>
    void run(std::string_view name, const F& start) {
        engine_->wait(*engine_->submit(name, start));
    }

    std::unique_ptr<Engine> engine_;
};

}  // namespace

std::unique_ptr<Communicator> join_ranks(const RankOptions& options) {
    if (rank_environment().size == 1) return single_rank();
    return std::make_unique<MpiCommunicator>(std::make_unique<Engine>(options));
}

}  // namespace radial
