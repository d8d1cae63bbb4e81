// Tests of sort, argsort and topk: order of equal elements and of NaN, dimensions, gradients, the kernels of a device,
// messages.
#include "radial/core/ops/kernels/sort.h"
#include "../../expect.h"
#include "../random_inputs.h"
#include "radial/core/kernels/team.h"
#include "radial/core/ops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace radial::test {
namespace {

using Numbers = std::vector<double>;
using Places = std::vector<std::int64_t>;

constexpr float infinite = std::numeric_limits<float>::infinity();

Places places_of(const Sorted& sorted) { return sorted.indices.to_vector<std::int64_t>(); }
Numbers values_of(const Sorted& sorted) { return sorted.values.to_vector<double>(); }

/// The stable order of `x`.
Places stable_order(const Numbers& x, bool descending) {
    Places order(x.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        const double left = x[static_cast<std::size_t>(a)], right = x[static_cast<std::size_t>(b)];
        return descending ? left > right : left < right;
    });
    return order;
}

/// `count` whole numbers, many of them equal.
Tensor with_ties(std::int64_t count, DType dtype) {
    RandomInputs random(61);
    std::vector<double> values(static_cast<std::size_t>(count));
    for (double& v : values) v = static_cast<double>(random.integer(-20, 20));
    return Tensor::from(values, {count}).to(dtype);
}

}  // namespace

TEST_CASE("sort orders along any dimension and tells where elements were", "[core][ops]") {
    const Tensor x = Tensor::from<double>({3, 1, 2, 0, 5, 4}, {2, 3});
    CHECK(values_of(sort(x)) == Numbers{1, 2, 3, 0, 4, 5});
    CHECK(places_of(sort(x)) == Places{1, 2, 0, 0, 2, 1});
    CHECK(values_of(sort(x, 0)) == Numbers{0, 1, 2, 3, 5, 4});
    CHECK(places_of(sort(x, 0)) == Places{1, 0, 0, 0, 1, 1});
    CHECK(values_of(sort(x, 1, true)) == Numbers{3, 2, 1, 5, 4, 0});
    CHECK(argsort(x, -1, true).to_vector<std::int64_t>() == Places{0, 2, 1, 1, 2, 0});
}

TEST_CASE("equal elements keep their order, in short and long rows of every dtype", "[core][ops]") {
    for (const std::int64_t count : {1, 2, 33, 199, 200, 1000}) {
        for (const DType dtype : {DType::float32, DType::float64, DType::bfloat16}) {
            const Tensor x = with_ties(count, dtype);
            const Numbers values = x.to_vector<double>();
            for (const bool descending : {false, true}) {
                INFO(count << " of " << name_of(dtype));
                CHECK(places_of(sort(x, 0, descending)) == stable_order(values, descending));
            }
        }
    }
}

TEST_CASE("topk gives the first elements of sort, whatever k", "[core][ops]") {
    for (const DType dtype : {DType::float32, DType::float64, DType::bfloat16}) {
        const Tensor x = with_ties(500, dtype);
        for (const std::int64_t k : {0, 1, 5, 30, 100, 499, 500}) {
            for (const bool largest : {false, true}) {
                const Places order = stable_order(x.to_vector<double>(), largest);
                INFO(k << " of " << name_of(dtype));
                CHECK(places_of(topk(x, k, 0, largest)) == Places(order.begin(), order.begin() + k));
            }
        }
    }
}

TEST_CASE("NaN is larger than every number, and 0 equals -0", "[core][ops]") {
    const Tensor x = Tensor::from<float>({NAN, 0, infinite, -0.0F, -infinite, -NAN}, {6});
    CHECK(places_of(sort(x, 0)) == Places{4, 1, 3, 2, 0, 5});
    CHECK(places_of(sort(x, 0, true)) == Places{0, 5, 2, 1, 3, 4});
    CHECK(places_of(topk(x, 2, 0)) == Places{0, 5});
    CHECK(std::signbit(values_of(sort(x, 0))[2]));
    CHECK(places_of(sort(x.to(DType::float64), 0)) == Places{4, 1, 3, 2, 0, 5});
}

TEST_CASE("the gradient of sort and topk goes to the elements", "[core][ops]") {
    Tensor x = Tensor::from<double>({3, 1, 2}, {3});
    x.set_requires_grad();
    const Tensor weights = Tensor::from<double>({10, 20, 30}, {3});
    sum(sort(x, 0).values * weights).backward();
    CHECK(x.grad().to_vector<double>() == Numbers{30, 10, 20});
    x.clear_grad();
    sum(topk(x, 1, 0, false).values).backward();
    CHECK(x.grad().to_vector<double>() == Numbers{0, 1, 0});
    CHECK_FALSE(sort(x, 0).indices.requires_grad());
    CHECK_FALSE(argsort(x, 0).requires_grad());
}

TEST_CASE("a sorted tensor in channels_last is that of the row-major one", "[core][ops]") {
    const Tensor x = RandomInputs(62).tensor({2, 3, 4, 5});
    for (int dim = 0; dim < 4; ++dim) {
        CHECK(values_of(sort(x.to(Layout::channels_last), dim)) == values_of(sort(x, dim)));
        CHECK(places_of(sort(x.to(Layout::channels_last), dim)) == places_of(sort(x, dim)));
    }
}

TEST_CASE("an empty tensor can be sorted, and k may be 0", "[core][ops]") {
    CHECK(sort(Tensor::zeros({0, 3})).values.shape() == Shape{0, 3});
    CHECK(sort(Tensor::zeros({3, 0})).indices.shape() == Shape{3, 0});
    CHECK(topk(Tensor::zeros({3, 2}), 0).values.shape() == Shape{3, 0});
}

TEST_CASE("the sort by many lanes is stable", "[core][ops][host]") {
    for (const std::int64_t n : {1, 2, 5, 32, 33, 100}) {
        const Numbers x = with_ties(2 * n, DType::float64).to_vector<double>();
        const auto size = static_cast<std::size_t>(2 * n);
        Numbers values(size);
        Places places(size), scratch(size), scratch_after(size);
        std::vector<std::uint64_t> keys(size), keys_after(size);
        for (const bool descending : {false, true}) {
            // Two columns of [n, 2].
            const kernels::MergeSortRow<double> row{
                x.data(),       values.data(),        places.data(), keys.data(), keys_after.data(),
                scratch.data(), scratch_after.data(), {n, 2},        n,           {descending}};
            for (const std::int64_t column : {0, 1}) {
                row(kernels::HostTeam<4>{}, column);
                Numbers own;
                Places found;
                for (std::int64_t e = 0; e < n; ++e) {
                    own.push_back(x[static_cast<std::size_t>(2 * e + column)]);
                    found.push_back(places[static_cast<std::size_t>(2 * e + column)]);
                }
                CHECK(found == stable_order(own, descending));
            }
        }
    }
}

TEST_CASE("the selection by many lanes gives the first elements of the sort", "[core][ops][host]") {
    const Numbers x = with_ties(50, DType::float64).to_vector<double>();
    for (const bool largest : {false, true}) {
        Numbers values(7);
        Places places(7);
        const kernels::SelectRow<double> row{x.data(), values.data(), places.data(), {50, 1}, 7, {largest}};
        row(kernels::HostTeam<4>{}, 0);
        const Places order = stable_order(x, largest);
        CHECK(places == Places(order.begin(), order.begin() + 7));
        CHECK(values[0] == x[static_cast<std::size_t>(order[0])]);
    }
}

TEST_CASE("sort and topk say which dimension or k does not fit", "[core][ops]") {
    const Tensor x = Tensor::zeros({2, 3});
    CHECK(error_of([&] { sort(x, 2); }) == "sort: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([&] { argsort(x, -3); }) == "argsort: dimension -3 of [2, 3], which has 2");
    CHECK(error_of([&] { topk(x, 4); }) == "topk: k is 4, but dimension -1 of [2, 3] has 3 elements");
    CHECK(error_of([&] { topk(x, -1, 0); }) == "topk: k is -1, but dimension 0 of [2, 3] has 2 elements");
}

}  // namespace radial::test
