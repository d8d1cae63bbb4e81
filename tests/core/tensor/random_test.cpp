// Tests of the random stream, the functions that fill tensors, and the initialisers.
#include "../../catch.h"
#include "../../expect.h"

#include "radial/core/backend/backend.h"
#include "radial/core/kernels/philox.h"
#include "radial/core/tensor/random.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>

using namespace radial;
using radial::test::differences;
using radial::test::error_of;

namespace {

std::array<std::uint32_t, 4> words(const kernels::Philox4& block) {
    return {block.word[0], block.word[1], block.word[2], block.word[3]};
}

template <class F>
Tensor filled(const Shape& shape, DType dtype, const F& fill, Layout layout = Layout::row_major) {
    Generator generator(7);
    const Tensor x = Tensor::empty(shape, dtype, default_device(), layout);
    fill(x, generator);
    return x;
}

void fill_uniform(const Tensor& x, Generator& generator) { uniform_(x, -2, 3, generator); }
void fill_normal(const Tensor& x, Generator& generator) { normal_(x, 1, 2, generator); }

double mean_of(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
    const double mean = mean_of(values);
    double total = 0;
    for (const double value : values) total += (value - mean) * (value - mean);
    return total / static_cast<double>(values.size());
}

/// The largest difference between the sample's distribution function and `cdf`.
template <class F>
double kolmogorov_distance(std::vector<double> values, const F& cdf) {
    std::sort(values.begin(), values.end());
    const auto count = static_cast<double>(values.size());
    double distance = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = cdf(values[i]), below = static_cast<double>(i) / count;
        distance = std::max({distance, expected - below, below + 1 / count - expected});
    }
    return distance;
}

constexpr int sample = 100'000;
/// One in a thousand samples of the correct distribution exceeds this bound.
const double kolmogorov_bound = 1.95 / std::sqrt(sample);

}  // namespace

TEST_CASE("Philox gives the words that its authors published", "[host]") {
    using Words = std::array<std::uint32_t, 4>;
    CHECK(words(kernels::philox(0, 0, 0)) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    const std::uint64_t ones = ~std::uint64_t{0};
    CHECK(words(kernels::philox(ones, ones, ones)) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    const std::uint64_t key = 0x299f31d0a4093822, low = 0x85a308d3243f6a88, high = 0x0370734413198a2e;
    CHECK(words(kernels::philox(key, low, high)) == Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("A stream is read block by block, word by word", "[host]") {
    Generator generator(0);
    CHECK(generator.next() == 0x6627e8d5);
    CHECK(generator.next() == 0xe169c58d);
    CHECK(generator.next() == 0xbc57ac4c);
    CHECK(generator.next() == 0x9b00dbd8);
    CHECK(generator.next() == kernels::philox(0, 1).word[0]);
}

TEST_CASE("A uniform number is the 24 upper bits of the next word, below one", "[host]") {
    Generator words(7), numbers(7);
    for (int i = 0; i < 100; ++i) {
        const float number = numbers.uniform();
        CHECK(number == static_cast<float>(words.next() >> 8) / 16'777'216.0F);
        CHECK(number < 1.0F);
    }
}

TEST_CASE("A restored generator continues where the saved one was", "[host]") {
    Generator generator(42);
    generator.reserve(17);
    Generator other(1);
    other.restore(generator.seed(), generator.counter());
    CHECK(other.next() == generator.next());
    CHECK(other.counter() == 18);
}

TEST_CASE("manual_seed restarts the default stream", "[host]") {
    manual_seed(5);
    const std::uint32_t first = default_generator().next();
    default_generator().next();
    manual_seed(5);
    CHECK(default_generator().next() == first);
    manual_seed(6);
    CHECK(default_generator().next() != first);
}

TEST_CASE("below stays below its bound and reaches every value equally often", "[host]") {
    Generator generator(3);
    std::array<int, 7> counts{};
    for (int i = 0; i < 70'000; ++i) ++counts.at(generator.below(7));
    double chi_squared = 0;
    for (const int count : counts) chi_squared += (count - 1e4) * (count - 1e4) / 1e4;
    CHECK(chi_squared < 22.5);  // 6 degrees of freedom; exceeded by one sample in a thousand
    CHECK(generator.below(1) == 0);
}

TEST_CASE("below takes bounds above 32 bits", "[host]") {
    Generator generator(3);
    const std::uint64_t bound = (std::uint64_t{1} << 63) + 1;  // half of all draws are rejected
    bool above_32_bits = false;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t drawn = generator.below(bound);
        CHECK(drawn < bound);
        above_32_bits |= drawn > 0xffffffffU;
    }
    CHECK(above_32_bits);
}

TEST_CASE("below refuses a bound of zero", "[host]") {
    Generator generator;
    CHECK(error_of([&] { generator.below(0); }) == "Generator::below: the bound is 0, expected at least 1");
}

TEST_CASE("Uniform numbers are uniform") {
    const auto values = filled({sample}, DType::float64, fill_uniform).to_vector<double>();
    CHECK(mean_of(values) == Approx(0.5).margin(0.02));
    CHECK(variance_of(values) == Approx(25.0 / 12).margin(0.03));
    CHECK(kolmogorov_distance(values, [](double x) { return (x + 2) / 5; }) < kolmogorov_bound);
}

TEST_CASE("Normal numbers are normal") {
    const auto values = filled({sample}, DType::float64, fill_normal).to_vector<double>();
    CHECK(mean_of(values) == Approx(1).margin(0.03));
    CHECK(variance_of(values) == Approx(4).margin(0.08));
    CHECK(kolmogorov_distance(values, [](double x) { return 0.5 * std::erfc(-(x - 1) / 2 / std::sqrt(2.0)); }) <
          kolmogorov_bound);
}

TEST_CASE("The two normal numbers of a pair are uncorrelated") {
    const auto values = filled({sample}, DType::float64, fill_normal).to_vector<double>();
    double total = 0;
    for (std::size_t i = 0; i + 1 < values.size(); i += 2) total += (values[i] - 1) * (values[i + 1] - 1) / 4;
    CHECK(std::abs(total / (sample / 2.0)) < 4 / std::sqrt(sample / 2.0));
}

TEST_CASE("float32 and float64 are filled with the same numbers up to rounding") {
    for (const auto fill : {fill_uniform, fill_normal}) {
        const Tensor narrow = filled({1001}, DType::float32, fill), wide = filled({1001}, DType::float64, fill);
        CHECK(test::relative_difference(narrow, wide) < 1e-7);
    }
}

TEST_CASE("Both layouts are filled with the same logical elements") {
    for (const auto fill : {fill_uniform, fill_normal}) {
        const Tensor plain = filled({3, 5, 2, 3}, DType::float32, fill);
        const Tensor last = filled({3, 5, 2, 3}, DType::float32, fill, Layout::channels_last);
        CHECK(differences(last.to_vector<float>(), plain.to_vector<float>()) == "");
    }
}

TEST_CASE("Fillers give the same numbers with any number of threads") {
    for (const auto fill : {fill_uniform, fill_normal}) {
        set_num_threads(1);
        const auto one = filled({50'001}, DType::float32, fill).to_vector<float>();
        set_num_threads(3);
        const auto three = filled({50'001}, DType::float32, fill).to_vector<float>();
        set_num_threads(0);
        CHECK(differences(one, three) == "");
    }
}

TEST_CASE("Fillers give the same numbers on a device as on the CPU", "[device]") {
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
        const auto filled_on = [&](Device device, const auto& fill, DType dtype) -> std::vector<double> {
            const DefaultDevice guard(device);
            const Tensor x = filled({3, 5, 17, 9}, dtype, fill, layout);
            return x.to_vector<double>();
        };
        for (const DType dtype : {DType::float32, DType::float64}) {
            CHECK(filled_on(default_device(), fill_uniform, dtype) == filled_on(Device{}, fill_uniform, dtype));
            const auto there = filled_on(default_device(), fill_normal, dtype);
            const auto here = filled_on(Device{}, fill_normal, dtype);
            for (std::size_t i = 0; i < here.size(); ++i)
                REQUIRE(there[i] == Approx(here[i]).epsilon(1e-6).margin(1e-6));
        }
    }
}

TEST_CASE("Filling two halves in turn equals filling the whole") {
    Generator generator(7);
    const Tensor whole = filled({10}, DType::float64, fill_normal), halves = Tensor::empty({10}, DType::float64);
    normal_(halves.rows(0, 4), 1, 2, generator);
    normal_(halves.rows(4, 10), 1, 2, generator);
    CHECK(differences(halves.to_vector<double>(), whole.to_vector<double>()) == "");
}

TEST_CASE("A filler takes as many numbers as it says") {
    Generator generator(1);
    uniform_(Tensor::empty({5}), 0, 1, generator);
    CHECK(generator.counter() == 5);
    normal_(Tensor::empty({5}), 0, 1, generator);
    CHECK(generator.counter() == 11);
}

TEST_CASE("Uniform numbers never reach the upper bound, even when rounding would") {
    // The only float32 number in [1, 1 + 2^-23) is 1; all other numbers of the interval would round up to the bound.
    const double high = 1 + 0x1p-23;
    Generator generator(1);
    const Tensor x = Tensor::empty({1000});
    uniform_(x, 1, high, generator);
    for (const float value : x.to_vector<float>()) CHECK(value == 1.0F);
}

TEST_CASE("Filling makes tensors saved for backward stale") {
    const Tensor x = Tensor::empty({4});
    const auto before = x.version();
    uniform_(x, 0, 1);
    const auto between = x.version();
    normal_(x, 0, 1);
    CHECK(between > before);
    CHECK(x.version() > between);
}

TEST_CASE("Fillers refuse integers and senseless bounds") {
    const Tensor integers = Tensor::empty({2}, DType::int64), x = Tensor::empty({2});
    CHECK(error_of([&] { uniform_(integers, 0, 1); }) == "uniform_: dtype is int64, expected float32 or float64");
    CHECK(error_of([&] { normal_(integers, 0, 1); }) == "normal_: dtype is int64, expected float32 or float64");
    CHECK(error_of([&] { uniform_(x, 2, 1); }) == "uniform_: expected finite low <= high, got 2 and 1");
    CHECK(error_of([&] { uniform_(x, 0, INFINITY); }) == "uniform_: expected finite low <= high, got 0 and inf");
    CHECK(error_of([&] { normal_(x, 0, -1); }) == "normal_: expected a finite mean and std >= 0, got 0 and -1");
}

TEST_CASE("A permutation holds every index once and depends on the seed", "[host]") {
    Generator a(1), b(1), c(2);
    const auto order = permutation(1000, a);
    CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == 1000);
    CHECK(*std::min_element(order.begin(), order.end()) == 0);
    CHECK(*std::max_element(order.begin(), order.end()) == 999);
    CHECK(permutation(1000, b) == order);
    CHECK(permutation(1000, c) != order);
    CHECK(permutation(0, a).empty());
    CHECK(error_of([&] { permutation(-1, a); }) == "permutation: the count is -1, expected at least 0");
}

TEST_CASE("All permutations are equally likely", "[host]") {
    Generator generator(9);
    std::map<std::vector<std::int64_t>, int> counts;
    for (int i = 0; i < 6000; ++i) ++counts[permutation(3, generator)];
    REQUIRE(counts.size() == 6);
    for (const auto& [order, count] : counts) CHECK(std::abs(count - 1000) < 120);
}

TEST_CASE("Initial weights have the bound or deviation of their formula") {
    // fan_in = 20 * 9 = 180, fan_out = 50 * 9 = 450
    const Tensor w = Tensor::empty({50, 20, 3, 3}, DType::float64);
    const auto variance = [&] { return variance_of(w.to_vector<double>()); };
    manual_seed(1);
    init::kaiming_uniform_(w);
    CHECK(variance() == Approx(2.0 / 180).epsilon(0.05));
    const auto values = w.to_vector<double>();
    const double bound = std::sqrt(6.0 / 180);
    CHECK(*std::max_element(values.begin(), values.end()) == Approx(bound).epsilon(0.01));
    CHECK(*std::min_element(values.begin(), values.end()) == Approx(-bound).epsilon(0.01));
    init::kaiming_uniform_(w, 1.0, init::Fan::out);
    CHECK(variance() == Approx(1.0 / 450).epsilon(0.05));
    init::kaiming_normal_(w);
    CHECK(variance() == Approx(2.0 / 180).epsilon(0.05));
    init::kaiming_normal_(w, 1.0, init::Fan::out);
    CHECK(variance() == Approx(1.0 / 450).epsilon(0.05));
    init::xavier_uniform_(w, 2.0);
    CHECK(variance() == Approx(4 * 2.0 / 630).epsilon(0.05));
    init::xavier_normal_(w);
    CHECK(variance() == Approx(2.0 / 630).epsilon(0.05));
}

TEST_CASE("Dirac kernels copy the channels, and further kernels keep their values") {
    const Tensor w = Tensor::full({3, 2, 3, 3}, 7.0);
    init::dirac_(w);
    const auto values = w.to_vector<double>();
    for (std::size_t k = 0; k < 3; ++k)
        for (std::size_t c = 0; c < 2; ++c)
            for (std::size_t i = 0; i < 9; ++i)
                CHECK(values[(k * 2 + c) * 9 + i] == (k == 2 ? 7 : k == c && i == 4 ? 1 : 0));
    CHECK(error_of([] {
              init::dirac_(Tensor::zeros({3, 2, 2, 3}));
          }) == "dirac_: float32[3, 2, 2, 3] are not convolution weights with odd kernels");
}

TEST_CASE("Initialisers refuse tensors without fans or elements") {
    CHECK(error_of([] { init::kaiming_uniform_(Tensor::empty({3})); }) ==
          "kaiming_uniform_: float32[3] has no fans, expected rank 2 or more");
    CHECK(error_of([] {
              init::xavier_normal_(Tensor::empty({0, 3}));
          }) == "xavier_normal_: float32[0, 3] has no elements");
}

TEST_CASE("While random fills are skipped, weights start at zero and no number is taken") {
    manual_seed(5);
    const std::uint64_t before = default_generator().counter();
    const Tensor w = Tensor::full({3, 5}, 1);
    {
        const SkipRandomFill outer;
        {
            const SkipRandomFill inner;
            uniform_(w, 1, 2);
        }
        CHECK(w.to_vector<double>() == std::vector<double>(15, 0.0));
        w.fill_(7);
        init::kaiming_normal_(w);
        CHECK(w.to_vector<double>() == std::vector<double>(15, 0.0));
        CHECK(default_generator().counter() == before);
    }
    init::kaiming_normal_(w);
    CHECK(variance_of(w.to_vector<double>()) > 0);
    CHECK(default_generator().counter() == before + 16);
}
