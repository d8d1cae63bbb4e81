// Tests of row kernels over pairs and of class means: the result does not depend on the number of lanes.
#include "../../catch.h"
#include "radial/core/ops/kernels/linear_algebra.h"
#include "radial/losses/pairs/class_means_kernels.h"
#include "radial/losses/pairs/triplets.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace radial;
using namespace radial::kernels;

namespace {

constexpr std::int64_t row_count = 3;
const std::vector<std::int64_t> lengths = {1, 2, 31, 33, 129, 257};

std::vector<double> numbers(std::int64_t count, double low, double high) {
    std::mt19937 engine(static_cast<unsigned>(count));
    std::vector<double> result(static_cast<std::size_t>(count));
    for (double& value : result) value = low + (high - low) * static_cast<double>(engine() >> 8) * 0x1p-24;
    return result;
}
std::vector<std::int64_t> labels(std::int64_t count, std::int64_t classes) {
    std::vector<std::int64_t> result(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<std::int64_t>(i * 7 % 5) % classes;
    return result;
}

/// The largest |a - b| / max(1, |b|); infinite if a number is not finite.
double difference(const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double error = std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i]));
        worst = std::isfinite(error) ? std::max(worst, error) : INFINITY;
    }
    return worst;
}

/// The content of `results` after a team for each row has run the kernel that make(results) returns.
template <class Team, class Make>
std::vector<double> after(std::size_t size, std::int64_t rows, const Make& make) {
    std::vector<double> results(size);
    const auto kernel = make(results.data());
    for (std::int64_t row = rows - 1; row >= 0; --row) kernel(Team{}, row);
    return results;
}
template <class Make>
double disagreement(std::int64_t size, std::int64_t rows, const Make& make) {
    const auto count = static_cast<std::size_t>(size);
    const auto expected = after<SerialTeam>(count, rows, make);
    return std::max({difference(after<HostTeam<1>>(count, rows, make), expected),
                     difference(after<HostTeam<32>>(count, rows, make), expected),
                     difference(after<HostTeam<256>>(count, rows, make), expected)});
}

/// The largest difference of a rule's gradients and sums between numbers of lanes, for three anchors and `columns`
/// other samples.
template <class Rule>
double rule_disagreement(std::int64_t columns, const Rule& rule) {
    const auto values = numbers(row_count * columns, 0.1, 1.9);
    const auto anchors = labels(row_count, 3), others = labels(columns, 3);
    return disagreement(row_count * (columns + pair_sums), row_count, [&](double* results) {
        return PairRows<double, Rule>{
            values.data(), results, results + row_count * columns, columns, {anchors.data(), others.data(), false},
            rule};
    });
}

}  // namespace

TEST_CASE("rules over pairs do not depend on a team's width", "[host][pairs]") {
    for (const std::int64_t columns : lengths) {
        INFO("rows of " << columns);
        std::vector<std::int64_t> room(static_cast<std::size_t>(row_count * columns));
        const TripletLoss<double> hinge{0.4, false, true}, soft{0.4, true, false};
        CHECK(rule_disagreement(columns, ContrastiveRule<double>{0.2, 1.1, true, true}) < 1e-12);
        CHECK(rule_disagreement(columns, SupervisedContrastiveRule<double>{10}) < 1e-12);
        CHECK(rule_disagreement(columns, MultiSimilarityRule<double>{2, 50, 0.5, 0.1, true}) < 1e-12);
        CHECK(rule_disagreement(columns, CircleRule<double>{0.25, 16, true}) < 1e-12);
        CHECK(rule_disagreement(columns, ProxyAnchorRule<double>{32, 0.1}) < 1e-12);
        CHECK(rule_disagreement(columns, AllTriplets<double>{hinge}) < 1e-12);
        CHECK(rule_disagreement(columns, MinedTriplets<double, HardestMiner<double>>{soft, room.data(), {}}) < 1e-12);
        CHECK(rule_disagreement(columns, MinedTriplets<double, SemiHardMiner<double>>{hinge, room.data(), {0.4}}) <
              1e-12);
        CHECK(rule_disagreement(columns, MinedTriplets<double, DistanceWeightedMiner<double>>{
                                             soft, room.data(), {0.5, 1.4, 8, 3, 0, nullptr}}) < 1e-12);
    }
}

TEST_CASE("distances, class means and the range loss do not depend on a team's width", "[host][pairs]") {
    for (const std::int64_t count : {1, 2, 33, 70}) {
        INFO(count << " samples");
        constexpr std::int64_t dim = 5;
        const auto x = numbers(count * dim, -1, 1), squares = numbers(count * count, 0.1, 3);
        const auto classes = labels(count, 4);
        CHECK(disagreement(count * count, count, [&](double* out) {
                  return Distances<double, false>{x.data(), x.data(), out, count, dim};
              }) == 0);
        CHECK(disagreement(count * dim, count, [&](double* out) {
                  return DistancesGradient<double>{x.data(), x.data(), squares.data(), squares.data(), out, count,
                                                   dim,      1,        count};
              }) == 0);
        CHECK(disagreement(count * dim, count, [&](double* out) {
                  return BatchClassMeans<double>{x.data(), classes.data(), out, count, dim};
              }) == 0);
        CHECK(disagreement(4 * (dim + 1), 4, [&](double* out) {
                  return UpdateClassMeans<double>{x.data(), classes.data(), out, out + 4 * dim, count, dim, 0.1};
              }) == 0);
        CHECK(disagreement(count * (count + 1), count, [&](double* out) {
                  return HarmonicRange<double>{squares.data(), classes.data(), out, out + count * count, count, 3};
              }) == 0);
        CHECK(disagreement(count * count + 1, 1, [&](double* out) {
                  return NearestClasses<double>{squares.data(), classes.data(), out, out + count * count, count, 2};
              }) == 0);
    }
}
