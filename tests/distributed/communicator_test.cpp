// Tests of communication: the data arrive complete, and are the same on all ranks.
#include "radial/core/distributed/communicator.h"
#include "ranks.h"

#include <numeric>

using namespace radial;
using namespace radial::test;

namespace {

double rank() { return ranks().rank(); }
/// The sum of f(rank) over all ranks.
template <class F>
double over_ranks(const F& f) {
    double total = 0;
    for (int k = 0; k < ranks().size(); ++k) total += f(static_cast<double>(k));
    return total;
}

}  // namespace

TEST_CASE("mpirun's ranks find each other", "[ranks]") {
    REQUIRE(ranks().size() >= 2);
    CHECK(ranks().rank() == rank_environment().rank);
    CHECK(ranks().size() == rank_environment().size);
    CHECK(ranks().local_size() == ranks().size());
    CHECK(ranks().local_rank() == ranks().rank());
}

TEST_CASE("a sum over ranks takes float32, float64 and int64 in place", "[ranks]") {
    for (const DType dtype : {DType::float32, DType::float64, DType::int64}) {
        const Tensor x = Tensor::full({3, 5}, rank() + 1, dtype);
        const std::uint64_t version = x.version();
        ranks().sum(x);
        CHECK(x.to_vector<double>() == std::vector<double>(15, over_ranks([](double k) { return k + 1; })));
        CHECK(x.version() > version);
    }
}

TEST_CASE("sums that are started together each end with their own result", "[ranks]") {
    std::vector<Tensor> all;
    std::vector<std::unique_ptr<PendingOperation>> pending;
    for (int i = 0; i < 10; ++i) {
        all.push_back(Tensor::full({1000 * (i + 1)}, rank() + i));
        pending.push_back(ranks().start_sum(all.back()));
    }
    for (int i = 9; i >= 0; --i) {
        pending[static_cast<std::size_t>(i)]->wait();
        const double expected = over_ranks([i](double k) { return k + i; });
        const std::vector<double> values = all[static_cast<std::size_t>(i)].to_vector<double>();
        CHECK(std::all_of(values.begin(), values.end(), [&](double v) { return v == expected; }));
        const OperationTimes times = pending[static_cast<std::size_t>(i)]->times();
        CHECK(times.begin <= times.end);
    }
}

TEST_CASE("a sum of numbers that cannot be added is refused", "[ranks]") {
    CHECK(error_of([] { ranks().sum(Tensor::zeros({2}, DType::uint8)); }) ==
          "sum over ranks: the tensor is uint8[2], expected float32, float64 or int64");
    CHECK(error_of([] { ranks().sum({}); }) == "sum over ranks: the tensor is undefined");
    CHECK(error_of([] { ranks().broadcast(Tensor::zeros({2}), ranks().size()); }) ==
          fmt::format("broadcast: from rank {0}, there are {0}", ranks().size()));
}

TEST_CASE("a broadcast gives every rank the root's elements, of any type", "[ranks]") {
    for (const DType dtype : {DType::float32, DType::int64, DType::uint8}) {
        const Tensor x = Tensor::full({7}, rank() + 3, dtype);
        ranks().broadcast(x, ranks().size() - 1);
        CHECK(x.to_vector<double>() == std::vector<double>(7, ranks().size() + 2.0));
    }
}

TEST_CASE("gathered bytes come in order of rank and may differ in length", "[ranks]") {
    const std::vector<std::string> all = ranks().gather(std::string(static_cast<std::size_t>(rank()), 'x'));
    REQUIRE(all.size() == static_cast<std::size_t>(ranks().size()));
    for (std::size_t k = 0; k < all.size(); ++k) CHECK(all[k] == std::string(k, 'x'));
    ranks().barrier();
}

TEST_CASE("gathered rows stand in order of rank, also from a rank that has none", "[ranks]") {
    std::vector<float> whole(24);
    std::iota(whole.begin(), whole.end(), 0.0F);
    const Tensor x = Tensor::from(whole, {8, 3});
    CHECK(differences(ranks().gather_rows(own_rows(x)).to_vector<float>(), whole) == "");
    const Tensor lonely = ranks().gather_rows(ranks().rank() == 1 ? x : x.rows(0, 0));
    CHECK(differences(lonely.to_vector<float>(), whole) == "");
}

TEST_CASE("rows of all ranks are the own rows outside a batch over ranks", "[ranks]") {
    const Tensor x = Tensor::full({2, 1}, rank());
    CHECK(rows_of_all_ranks(x).size(0) == 2);
    {
        const OverRanks scope(ranks());
        CHECK(rows_of_all_ranks(x).size(0) == 2 * ranks().size());
        const auto alone = single_rank();
        const OverRanks inner(*alone);
        CHECK(rows_of_all_ranks(x).size(0) == 2);
    }
    CHECK(rows_of_all_ranks(x).size(0) == 2);
}
