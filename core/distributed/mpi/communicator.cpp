// Ranks that talk by MPI.
#include "radial/core/distributed/mpi/engine.h"

#include <fmt/format.h>

#include <limits>
#include <numeric>
#include <utility>

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

/// As MPI counts. Throws Error for more than that.
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
