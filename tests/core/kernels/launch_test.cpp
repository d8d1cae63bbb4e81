// Tests of the functions that launch functors: each form, on the host or a device, at sizes near the limits of chunks
// and blocks.
#include "radial/core/kernels/launch.h"

#include "../../expect.h"
#include "../random_inputs.h"
#include "radial/core/kernels/device_launch.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace radial;
using namespace radial::test;
using Values = std::vector<double>;

namespace {

/// Adds a number that is different for each element.
struct Mark {
    double* out;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] += static_cast<double>(i + 1); }
};

/// Adds a number that depends on both coordinates, so that a call for a wrong element is detected.
struct Mark2 {
    double* out;
    std::int64_t inner;
    RADIAL_HD void operator()(std::int64_t o, std::int64_t i) const {
        out[o * inner + i] += static_cast<double>(1000 * o + i + 1);
    }
};

/// Subtracts a row's mean from its elements, then writes the row's largest element to the first place.
struct CentreRow {
    const double* in;
    double* out;
    std::int64_t length;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const double* const x = in + row * length;
        double* const y = out + row * length;
        const double mean = team.sum(length, [&](std::int64_t i) { return x[i]; }) / static_cast<double>(length);
        const double top = team.max(length, [&](std::int64_t i) { return x[i]; });
        team.each(length, [&](std::int64_t i) { y[i] = x[i] - mean; });
        team.once([&] { y[0] = top; });
    }
};

struct Read {
    const double* in;
    RADIAL_HD double operator()(std::int64_t i) const { return in[i]; }
};
struct ReadFloat {
    const float* in;
    RADIAL_HD float operator()(std::int64_t i) const { return in[i]; }
};

struct FloatColumn {
    const float* in;
    std::int64_t columns;
    RADIAL_HD float operator()(std::int64_t r, std::int64_t c) const { return in[r * columns + c]; }
};

/// Returns the element and its square, and doubles the element in the same pass.
struct ElementAndSquare {
    double* data;
    std::int64_t columns;
    RADIAL_HD kernels::Pair<double> operator()(std::int64_t r, std::int64_t c) const {
        double* const at = data + r * columns + c;
        const double value = *at;
        *at = 2 * value;
        return {value, value * value};
    }
};
struct StoreBoth {
    double* sums;
    double* squares;
    RADIAL_HD void operator()(std::int64_t c, const kernels::Pair<double>& total) const {
        sums[c] = total.first;
        squares[c] = total.second;
    }
};

struct Part {
    double* data;
    std::int64_t count;
};
struct AddOne {
    RADIAL_HD void operator()(const Part& part, std::int64_t i) const { part.data[i] += 1; }
};
struct ReadPart {
    RADIAL_HD double operator()(const Part& part, std::int64_t i) const { return part.data[i]; }
};

Tensor random_values(const Shape& shape, std::uint64_t seed) { return RandomInputs(seed).tensor(shape, -1, 2); }

/// Consecutive parts of `data`. Most are empty or small, some are longer than one block handles, and there are more
/// parts than one launch can handle.
std::vector<Part> parts_of(const Tensor& data) {
    constexpr std::int64_t lengths[] = {0, 1, 7, 0, 130, 3, 4096, 0, 2, 4097};
    std::vector<Part> parts;
    double* const base = data.data<double>();
    std::int64_t at = 0;
    for (std::size_t k = 0; at < data.numel(); ++k) {
        const std::int64_t wanted = k % 197 < 10 ? lengths[k % 197] : static_cast<std::int64_t>(k % 3);
        parts.push_back({base + at, std::min(wanted, data.numel() - at)});
        at += parts.back().count;
    }
    return parts;
}

}  // namespace

TEST_CASE("map calls once for each element") {
    for (const std::int64_t count : {0, 1, 255, 256, 257, 5000, 100'000}) {
        const Tensor out = Tensor::zeros({count}, DType::float64);
        kernels::map(default_device(), count, Mark{out.data<double>()});
        Values expected(static_cast<std::size_t>(count));
        std::iota(expected.begin(), expected.end(), 1.0);
        CHECK(differences(out.to_vector<double>(), expected) == "");
    }
}

TEST_CASE("map2 calls once for each pair") {
    for (const auto& [outer, inner] :
         {std::pair<std::int64_t, std::int64_t>{0, 5}, {5, 0}, {1, 1}, {1, 1000}, {1000, 1}, {37, 113}, {300, 77}}) {
        INFO(outer << " x " << inner);
        const Tensor out = Tensor::zeros({outer, inner}, DType::float64);
        kernels::map2(default_device(), outer, inner, Mark2{out.data<double>(), inner});
        Values expected;
        for (std::int64_t o = 0; o < outer; ++o)
            for (std::int64_t i = 0; i < inner; ++i) expected.push_back(static_cast<double>(1000 * o + i + 1));
        CHECK(differences(out.to_vector<double>(), expected) == "");
    }
}

TEST_CASE("rows hands each row to a team, of one warp or more") {
    for (const std::int64_t length : {1, 31, 32, 33, 127, 128, 129, 5000}) {
        for (const std::int64_t count : {1, 7}) {
            INFO(count << " rows of " << length);
            const Tensor in = random_values({count, length}, 1), out = Tensor::full({count, length}, NAN, in.dtype());
            kernels::rows(default_device(), count, length, CentreRow{in.data<double>(), out.data<double>(), length});
            const Values x = in.to_vector<double>(), y = out.to_vector<double>();
            for (std::int64_t row = 0; row < count; ++row) {
                const auto* const from = x.data() + row * length;
                const double mean = std::accumulate(from, from + length, 0.0) / static_cast<double>(length);
                const auto* const to = y.data() + row * length;
                CHECK(to[0] == *std::max_element(from, from + length));
                double worst = 0;
                for (std::int64_t i = 1; i < length; ++i) worst = std::max(worst, std::abs(to[i] - (from[i] - mean)));
                CHECK(worst < 1e-12);
            }
        }
    }
}

TEST_CASE("rows over no rows does nothing") {
    const Tensor out = Tensor::full({4}, 3, DType::float64);
    kernels::rows(default_device(), 0, 4, CentreRow{out.data<double>(), out.data<double>(), 4});
    CHECK(out.to_vector<double>() == Values(4, 3.0));
}

TEST_CASE("reduce is the factor times the sum in double, over any number of elements") {
    for (const std::int64_t count : {0, 1, 255, 256, 257, 4096, 4097, 1'000'000}) {
        INFO(count << " elements");
        const Tensor in = random_values({count}, 2), out = Tensor::full({1}, NAN, DType::float64);
        const Values x = in.to_vector<double>();
        const double expected = 0.25 * std::accumulate(x.begin(), x.end(), 0.0);
        kernels::reduce(default_device(), count, Read{in.data<double>()}, 0.25, out.data<double>());
        CHECK(out.item() == Approx(expected).epsilon(1e-12).margin(1e-12));

        // A running sum in float32 would lose the third digit after a million elements.
        const Tensor narrow = in.to(DType::float32), single = Tensor::full({1}, NAN);
        const auto f = narrow.to_vector<float>();
        const double sum = std::accumulate(f.begin(), f.end(), 0.0);
        kernels::reduce(default_device(), count, ReadFloat{narrow.data<float>()}, 1.0, single.data<float>());
        CHECK(single.item() == Approx(sum).epsilon(1e-6));
    }
}

TEST_CASE("reduce_columns calls once for each element, and stores both sums of each column") {
    for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{0, 3},
                                        {1, 1},
                                        {1, 1000},
                                        {63, 5},
                                        {64, 32},
                                        {65, 33},
                                        {100'000, 1},
                                        {2000, 31},
                                        {30'000, 20},
                                        {3, 0}}) {
        INFO(rows << " x " << columns);
        const Tensor data = random_values({rows, columns}, 3);
        const Values x = data.to_vector<double>();
        const Tensor sums = Tensor::full({columns}, NAN, DType::float64), squares = sums.clone();
        kernels::reduce_columns(default_device(), rows, columns, ElementAndSquare{data.data<double>(), columns},
                                StoreBoth{sums.data<double>(), squares.data<double>()});
        Values sum(static_cast<std::size_t>(columns)), square = sum, doubled = x;
        for (std::size_t k = 0; k < x.size(); ++k) {
            sum[k % sum.size()] += x[k];
            square[k % sum.size()] += x[k] * x[k];
            doubled[k] = 2 * x[k];
        }
        CHECK(relative_difference(sums, Tensor::from(sum, {columns})) < 1e-12);
        CHECK(relative_difference(squares, Tensor::from(square, {columns})) < 1e-12);
        CHECK(differences(data.to_vector<double>(), doubled) == "");
    }
}

TEST_CASE("float32 columns are summed with less than float32's rounding of the total") {
    const Tensor x = RandomInputs(4).tensor({20'000, 3}, 0.5, 1.5, DType::float32), out = Tensor::full({3}, NAN);
    kernels::reduce_columns(default_device(), 20'000, 3, FloatColumn{x.data<float>(), 3},
                            kernels::StoreSum<float>{out.data<float>()});
    const auto values = x.to_vector<double>();
    Values expected(3);
    for (std::size_t i = 0; i < values.size(); ++i) expected[i % 3] += values[i];
    CHECK(relative_difference(out, Tensor::from(expected, {3})) < 1e-6);
}

TEST_CASE("map_list reaches each element of each tensor, of more tensors than one launch carries") {
    const Tensor data = random_values({200'000}, 5);
    const Values before = data.to_vector<double>();
    const std::vector<Part> parts = parts_of(data);
    REQUIRE(static_cast<int>(parts.size()) > 2 * kernels::ItemList<Part>::capacity);
    kernels::map_list(default_device(), std::span<const Part>(parts), AddOne{});
    const Values after = data.to_vector<double>();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < after.size(); ++i) wrong += after[i] == before[i] + 1 ? 0 : 1;
    CHECK(wrong == 0);
}

TEST_CASE("reduce_list adds up the elements of all tensors") {
    const Tensor data = random_values({200'000}, 6), out = Tensor::full({1}, NAN, DType::float64);
    const std::vector<Part> parts = parts_of(data);
    kernels::reduce_list(default_device(), std::span<const Part>(parts), ReadPart{}, out.data<double>());
    const Values x = data.to_vector<double>();
    CHECK(out.item() == Approx(std::accumulate(x.begin(), x.end(), 0.0)).epsilon(1e-12));
}

TEST_CASE("a list of nothing, or of empty tensors, adds up to zero") {
    for (const std::vector<Part>& parts : {std::vector<Part>{}, std::vector<Part>(4000, Part{nullptr, 0})}) {
        const Tensor out = Tensor::full({1}, NAN, DType::float64);
        kernels::map_list(default_device(), std::span<const Part>(parts), AddOne{});
        kernels::reduce_list(default_device(), std::span<const Part>(parts), ReadPart{}, out.data<double>());
        CHECK(out.item() == 0);
    }
}

TEST_CASE("the plan of a sum of columns covers each row and column exactly once", "[host]") {
    RandomInputs random(7);
    for (int k = 0; k < 2000; ++k) {
        const auto up_to = [&](double most) {
            return static_cast<std::int64_t>(std::exp(random.uniform(0, std::log(most))));
        };
        const std::int64_t rows = random.integer(0, 9) == 0 ? 0 : up_to(1e10), columns = up_to(1e7);
        const int lanes = 1 << random.integer(5, 10);
        const std::int64_t blocks = k % 3 == 0 ? 1 : kernels::first_pass_blocks;
        const kernels::ColumnPlan plan = kernels::plan_columns(rows, columns, lanes, blocks);
        INFO(rows << " x " << columns << ", " << lanes << " lanes, about " << blocks << " blocks");
        REQUIRE(plan.lanes_x * plan.lanes_y == lanes);
        REQUIRE(plan.lanes_x <= 32);
        REQUIRE(plan.column_blocks * plan.lanes_x >= columns);
        REQUIRE((plan.column_blocks - 1) * plan.lanes_x < columns);
        REQUIRE(plan.chunks >= 1);
        REQUIRE(plan.chunks * plan.chunk >= rows);
        REQUIRE((plan.chunks == 1 || (plan.chunks - 1) * plan.chunk < rows));
        REQUIRE(plan.chunks <= std::max<std::int64_t>(1, blocks / plan.column_blocks));
    }
}

namespace {

/// A launcher that runs only the call for the last index, and records the size of the index type.
struct LastCall {
    static inline std::size_t index_bytes = 0;
    template <class F>
    static void map(int, std::int64_t count, const F& f) {
        index_bytes = sizeof(f.inner);
        f(count - 1);
    }
};
struct Remember {
    std::int64_t* at;
    RADIAL_HD void operator()(std::int64_t o, std::int64_t i) const {
        at[0] = o;
        at[1] = i;
    }
};

}  // namespace

TEST_CASE("map2 finds its place among more elements than 32 bits count", "[host]") {
    constexpr std::int64_t billion = 1'000'000'000;
    for (const auto& [outer, inner] : {std::pair<std::int64_t, std::int64_t>{1, 2'147'483'647},
                                       {2'147'483'647, 1},
                                       {46'340, 46'340},
                                       {2, 1'073'741'824},
                                       {3, billion},
                                       {5 * billion, 7}}) {
        INFO(outer << " x " << inner);
        std::int64_t at[2] = {-1, -1};
        kernels::on_device::map2<LastCall>(0, outer, inner, Remember{at});
        CHECK(at[0] == outer - 1);
        CHECK(at[1] == inner - 1);
        CHECK(LastCall::index_bytes == (outer * inner <= std::numeric_limits<std::int32_t>::max() ? 4 : 8));
    }
}
