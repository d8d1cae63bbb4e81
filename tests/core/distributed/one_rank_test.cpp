// A process alone, what mpirun's variables say, and when backward tells that a gradient is final. What takes several
// ranks is in tests/distributed.
#include "radial/core/distributed/communicator.h"

#include "../../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/distributed/gradient_reducer.h"
#include "radial/core/ops.h"

#include <cstdlib>

using namespace radial;
using namespace radial::test;

namespace {

/// An environment variable for as long as it lives.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
    ~Variable() { unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
};

Tensor leaf(double value) {
    Tensor x = Tensor::full({2}, value);
    x.set_requires_grad();
    return x;
}

/// Which of `leaves` backward() told, in order, with the gradient that each then had in its first element.
std::vector<std::pair<int, double>> told_by(const Tensor& loss, const std::vector<Tensor>& leaves) {
    std::vector<std::pair<int, double>> told;
    const WatchGradients watch([&](const std::shared_ptr<TensorImpl>& impl) {
        for (std::size_t i = 0; i < leaves.size(); ++i)
            if (leaves[i].impl() == impl)
                told.emplace_back(static_cast<int>(i), Tensor(impl->grad).to_vector<double>().front());
    });
    backward(loss);
    return told;
}

using Told = std::vector<std::pair<int, double>>;

}  // namespace

TEST_CASE("mpirun's variables give rank and size, and none is a process alone", "[host][core][ranks]") {
    CHECK(rank_environment().size == 1);
    {
        const Variable rank("OMPI_COMM_WORLD_RANK", "2"), size("OMPI_COMM_WORLD_SIZE", "3");
        CHECK(rank_environment().rank == 2);
        CHECK(rank_environment().size == 3);
    }
    {
        const Variable rank("PMI_RANK", "1"), size("PMI_SIZE", "4");
        CHECK(rank_environment().rank == 1);
        CHECK(rank_environment().size == 4);
    }
    const Variable rank("OMPI_COMM_WORLD_RANK", "3"), size("OMPI_COMM_WORLD_SIZE", "3");
    CHECK(error_of([] { rank_environment(); }) == "OMPI_COMM_WORLD_RANK: rank 3 of 3 (OMPI_COMM_WORLD_SIZE)");
    const Variable wrong("OMPI_COMM_WORLD_RANK", "one");
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

TEST_CASE("backward tells a leaf as soon as its gradient is final, the last used first", "[core][autograd]") {
    const Tensor a = leaf(2), b = leaf(3), c = leaf(4);
    CHECK(told_by(sum(((a * b) * c)), {a, b, c}) == Told{{2, 6}, {0, 12}, {1, 8}});
}

TEST_CASE("a leaf that is used several times is told once, after the last part of its gradient", "[core][autograd]") {
    const Tensor a = leaf(2), b = leaf(3);
    const Tensor early = a * b;
    CHECK(told_by(sum(early + square(a)), {a, b}) == Told{{0, 7}, {1, 2}});
}

TEST_CASE("a leaf of a recomputed segment that is used outside too is told when both are done", "[core][autograd]") {
    const Tensor a = leaf(2), b = leaf(3), x = leaf(1);
    const auto segment = [&](const Tensor& input) { return input * a * b; };
    const Tensor early = x * a;  // x a, times a b
    const Told told = told_by(sum(recompute(segment, early, a)), {a, b, x});
    REQUIRE(told.size() == 3);
    CHECK(told[0] == std::pair(1, 4.0));  // inside the segment, where it is final
    for (const auto& [which, gradient] : told)
        if (which == 0) CHECK(gradient == 12);  // d(x a a b)/da
}

TEST_CASE("backward of a leaf itself tells it, and without a watcher nobody is told", "[core][autograd]") {
    Tensor a = Tensor::full({}, 2.0);
    a.set_requires_grad();
    CHECK(told_by(a, {a}) == Told{{0, 1}});
    a.clear_grad();
    backward(a * 3.0);
    CHECK(a.grad().item() == 3);
}
