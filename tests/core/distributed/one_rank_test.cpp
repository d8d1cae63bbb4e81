// Tests of a single process, and of mpirun's environment variables. Tests that need several ranks are in
// tests/distributed.
#include "../../environment.h"
#include "../../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/distributed/gradient_reducer.h"
#include "radial/core/ops.h"

namespace radial::test {
namespace {

Tensor leaf(double value) {
    Tensor x = Tensor::full({2}, value);
    x.set_requires_grad();
    return x;
}

}  // namespace

TEST_CASE("mpirun's variables give rank and size, and none is a process alone", "[host][core][ranks]") {
    CHECK(rank_environment().size == 1);
    {
        const EnvironmentVariable rank("OMPI_COMM_WORLD_RANK", "2"), size("OMPI_COMM_WORLD_SIZE", "3");
        CHECK(rank_environment().rank == 2);
        CHECK(rank_environment().size == 3);
    }
    {
        const EnvironmentVariable rank("PMI_RANK", "1"), size("PMI_SIZE", "4");
        CHECK(rank_environment().rank == 1);
        CHECK(rank_environment().size == 4);
    }
    const EnvironmentVariable rank("OMPI_COMM_WORLD_RANK", "3"), size("OMPI_COMM_WORLD_SIZE", "3");
    CHECK(error_of([] { rank_environment(); }) == "OMPI_COMM_WORLD_RANK: rank 3 of 3 (OMPI_COMM_WORLD_SIZE)");
    const EnvironmentVariable wrong("OMPI_COMM_WORLD_RANK", "one");
    CHECK(error_of([] { rank_environment(); }) == "OMPI_COMM_WORLD_RANK: 'one' is not a number of at least 0");
}

TEST_CASE("a process alone sums, gathers and waits for nobody", "[core][ranks]") {
    const std::unique_ptr<Communicator> alone = join_ranks();
    CHECK(alone->rank() == 0);
    CHECK(alone->size() == 1);
    const Tensor x = Tensor::full({3}, 2);
    alone->sum(x);
    alone->broadcast(x);
    alone->barrier();
    CHECK(x.to_vector<double>() == std::vector<double>(3, 2.0));
    CHECK(alone->gather("ab") == std::vector<std::string>{"ab"});
    CHECK(differences(alone->gather_rows(x).to_vector<double>(), x.to_vector<double>()) == "");
}

TEST_CASE("a process alone reduces its gradients to themselves, times its share", "[core][ranks][reducer]") {
    const auto alone = single_rank();
    Tensor a = leaf(3), b = leaf(5);
    GradientReducer reducer(*alone, {a, b}, {.bucket_bytes = 1});
    reducer.backward(sum(square(a) + b), 0.5);
    reducer.finish();
    CHECK(a.grad().to_vector<double>() == std::vector<double>(2, 3.0));
    CHECK(b.grad().to_vector<double>() == std::vector<double>(2, 0.5));
}

TEST_CASE("gradients travel in eight buckets, or in smaller ones of at least 128 kB", "[core][ranks][reducer]") {
    const auto alone = single_rank();
    const auto buckets = [&](std::int64_t count, std::int64_t elements) {
        std::vector<Tensor> parameters;
        for (std::int64_t i = 0; i < count; ++i) parameters.push_back(Tensor::zeros({elements}, DType::float32));
        return GradientReducer(*alone, parameters).buckets();
    };
    CHECK(buckets(32, 64 * 1024) == 8);
    CHECK(buckets(4, 16 * 1024) == 2);
    CHECK(buckets(3, 4) == 1);
}

}  // namespace radial::test
