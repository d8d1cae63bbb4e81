// Tests of teams: the result does not depend on the number of lanes, for the team's functions and for all row kernels.
#include "radial/core/kernels/team.h"

#include "../../catch.h"
#include "radial/core/backend/kernels/pool.h"
#include "radial/core/ops/kernels/linear_algebra.h"
#include "radial/core/ops/kernels/reduce.h"
#include "radial/core/ops/kernels/softmax.h"
#include "radial/losses/heads/logits.h"
#include "radial/losses/heads/rows.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace radial;
using namespace radial::kernels;

namespace {

/// Lengths of rows, around the number of lanes of a team: fewer, as many, one more, and several times as many.
const std::vector<std::int64_t> lengths = {1, 2, 31, 32, 33, 129, 257, 1000};
constexpr std::int64_t row_count = 3;

template <class T>
constexpr double rounding = std::is_same_v<T, float> ? 2e-6 : 1e-13;

template <class T>
std::vector<T> numbers(std::int64_t count, double low, double high) {
    std::mt19937 engine(static_cast<unsigned>(count));
    std::vector<T> result(static_cast<std::size_t>(count));
    for (T& value : result) value = static_cast<T>(low + (high - low) * static_cast<double>(engine() >> 8) * 0x1p-24);
    return result;
}

/// The content of `data` after a team for each row has run the kernel that make(data) returns.
template <class Team, class T, class Make>
std::vector<T> after(std::vector<T> data, const Make& make) {
    const auto kernel = make(data.data());
    for (std::int64_t row = row_count - 1; row >= 0; --row) kernel(Team{}, row);
    return data;
}

/// The largest |a - b| / max(1, |b|); infinities and NaNs must be equal.
template <class T>
double difference(const std::vector<T>& a, const std::vector<T>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
        const double error = std::abs(double{a[i]} - double{b[i]}) / std::max(1.0, std::abs(double{b[i]}));
        worst = std::isfinite(error) ? std::max(worst, error) : std::numeric_limits<double>::infinity();
    }
    return worst;
}

/// The largest difference between the results of teams of several sizes and those of a SerialTeam.
template <class T, class Make>
double disagreement(const std::vector<T>& data, const Make& make) {
    const std::vector<T> expected = after<SerialTeam>(data, make);
    return std::max({difference(after<HostTeam<1>>(data, make), expected),
                     difference(after<HostTeam<32>>(data, make), expected),
                     difference(after<HostTeam<128>>(data, make), expected),
                     difference(after<HostTeam<256>>(data, make), expected)});
}

/// Calls f(T{}, length) for both types and all lengths.
template <class F>
void for_each_length(const F& f) {
    for (const std::int64_t length : lengths) {
        INFO("rows of " << length);
        f(float{}, length);
        f(double{}, length);
    }
}

/// `row_count` rows of `classes` logits each, followed by space for `more` numbers per row.
template <class T>
std::vector<T> logits(std::int64_t classes, std::int64_t more) {
    std::vector<T> data = numbers<T>(row_count * classes, -4, 4);
    data.resize(static_cast<std::size_t>(row_count * (classes + more)));
    return data;
}

std::vector<std::int64_t> labels_for(std::int64_t classes) { return {0, classes / 2, classes - 1}; }

/// A head's passes over one block, row by row. The passes replace the products by their gradients and write the losses
/// after them.
template <class T, class Metric, class Link>
struct WholeHead {
    HeadForward<T, Metric, Link> forward;
    HeadFinish<T, Link> finish;
    HeadBackward<T, Metric, Link> backward;
    template <class Team>
    void operator()(const Team& team, std::int64_t row) const {
        HeadStart<T>{forward.sums}(row);
        forward(team, row);
        finish(row);
        backward(team, row);
    }
};

/// The data, other than products and losses, that the passes of a WholeHead read and write.
template <class T>
struct HeadRoom {
    std::vector<std::int64_t> labels;
    std::vector<T> x_numbers = numbers<T>(row_count, 4, 6), w_numbers, own = numbers<T>(row_count, -4, 4), scratch;
    std::vector<double> totals = std::vector<double>(2 * row_count);
    std::vector<double> pull_sums = std::vector<double>(row_count);
    std::vector<T> tops = std::vector<T>(6 * row_count);
    T one = 1;

    explicit HeadRoom(std::vector<std::int64_t> of) : labels(std::move(of)) {}

    template <class Metric, class Link>
    WholeHead<T, Metric, Link> make(T* products, std::int64_t classes, double smoothing, const Link& link) {
        w_numbers = numbers<T>(classes, 4, 6);
        scratch.resize(static_cast<std::size_t>(row_count * classes));
        const HeadTarget<T> target{labels.data(), classes, static_cast<T>(smoothing), nullptr, nullptr};
        const HeadBlock<T> block{products, 0, classes, classes, x_numbers.data(), w_numbers.data(), own.data()};
        const HeadSums<T> sums{tops.data(), totals.data(), smoothing > 0 ? totals.data() + row_count : nullptr};
        T* const room = tops.data() + row_count;
        const HeadSoftmax<T> softmax{room, room + row_count, room + 2 * row_count};
        return {{block, target, link, scratch.data(), sums},
                {target, sums, link, own.data(), softmax, products + row_count * classes, room + 3 * row_count},
                {block,
                 target,
                 link,
                 {softmax, &one, nullptr, T{1}},
                 products,
                 classes,
                 nullptr,
                 pull_sums.data(),
                 room + 4 * row_count}};
    }
};

template <class Team>
void check_calls() {
    const Team team;
    for (const std::int64_t length : lengths) {
        CHECK(team.sum(length, [](std::int64_t i) { return i + 1; }) == length * (length + 1) / 2);
        CHECK(team.max(length, [](std::int64_t i) { return static_cast<double>(-i); }) == 0);
        const auto last_is_nan = [=](std::int64_t i) { return i == length - 1 ? NAN : 1e30F; };
        CHECK(std::isnan(team.max(length, last_is_nan)));
        std::vector<int> visits(static_cast<std::size_t>(length));
        team.each(length, [&](std::int64_t i) { ++visits[static_cast<std::size_t>(i)]; });
        CHECK(visits == std::vector<int>(static_cast<std::size_t>(length), 1));
    }
    CHECK(team.max(0, [](std::int64_t) { return 1.0F; }) == -INFINITY);
    CHECK(team.sum(0, [](std::int64_t) { return 1.0F; }) == 0);
    int runs = 0;
    team.once([&] { ++runs; });
    CHECK(runs == 1);
}

}  // namespace

TEST_CASE("a team of any width sums, compares and visits everything once", "[host]") {
    check_calls<SerialTeam>();
    check_calls<HostTeam<1>>();
    check_calls<HostTeam<32>>();
    check_calls<HostTeam<128>>();
    check_calls<HostTeam<256>>();
}

TEST_CASE("log_softmax and its gradient do not depend on a team's width", "[host]") {
    for_each_length([](auto zero, std::int64_t classes) {
        using T = decltype(zero);
        const std::int64_t count = row_count * classes;
        const auto forward = [=](T* data) { return LogSoftmax<T>{data, data, classes}; };
        CHECK(disagreement(logits<T>(classes, 0), forward) < rounding<T>);
        const auto backward = [=](T* data) { return LogSoftmaxGradient<T>{data, data + count, data + count, classes}; };
        CHECK(disagreement(numbers<T>(2 * count, -4, -1), backward) < 10 * rounding<T>);
    });
}

TEST_CASE("cross-entropy does not depend on a team's width, with any smoothing", "[host]") {
    for_each_length([](auto zero, std::int64_t classes) {
        using T = decltype(zero);
        for (const double smoothing : {0.0, 0.1}) {
            HeadRoom<T> room(labels_for(classes));
            const auto make = [&](T* data) {
                return room.template make<Product>(data, classes, smoothing, LinearLink<T, false>{nullptr});
            };
            CHECK(disagreement(logits<T>(classes, 1), make) < rounding<T>);
        }
    });
}

TEST_CASE("RBF-Softmax does not depend on a team's width", "[host]") {
    for_each_length([](auto zero, std::int64_t classes) {
        using T = decltype(zero);
        HeadRoom<T> room(labels_for(classes));
        const auto make = [&](T* data) {
            const RbfLink<T, false> link{.scale = 4, .margin = T(0.1), .plain_rate = T(-0.3)};
            return room.template make<SquaredDistance>(data, classes, 0.0, link);
        };
        CHECK(disagreement(logits<T>(classes, 1), make) < rounding<T>);
    });
}

TEST_CASE("a margin on cosines does not depend on a team's width", "[host]") {
    for_each_length([](auto zero, std::int64_t classes) {
        using T = decltype(zero);
        HeadRoom<T> room(labels_for(classes));
        room.own = numbers<T>(row_count, -0.9, 0.9);
        const T hardness = T(0.3);
        const auto make = [&](T* data) {
            const CosineLink<T, true> link{.scale = 16, .angle = T(0.5), .multiple = 1, .hardness = &hardness};
            return room.template make<Cosine>(data, classes, 0.1, link);
        };
        CHECK(disagreement(logits<T>(classes, 1), make) < 10 * rounding<T>);
    });
}

TEST_CASE("sums, norms and means of rows do not depend on a team's width", "[host]") {
    for_each_length([](auto zero, std::int64_t length) {
        using T = decltype(zero);
        const std::int64_t count = row_count * length;
        const std::vector<T> data = logits<T>(length, 1);
        CHECK(disagreement(data, [=](T* d) { return RowSums<T>{d, d + count, length}; }) < rounding<T>);
        CHECK(disagreement(data, [=](T* d) {
                  return RowLengths<T, LengthForm::plain>{d, d + count, length};
              }) < rounding<T>);
        // One image of row_count channels, once with the pixels contiguous and once with the channels contiguous.
        const auto plane = [=](T* d) { return PlaneMean<T>{d, d + count, row_count, length, length, 1}; };
        const auto pixel = [=](T* d) { return PlaneMean<T>{d, d + count, row_count, length, 1, row_count}; };
        CHECK(disagreement(data, plane) < rounding<T>);
        CHECK(disagreement(data, pixel) < rounding<T>);
    });
}

TEST_CASE("rows with infinities, NaN or a label that is no class come out the same for every width", "[host]") {
    for_each_length([](auto zero, std::int64_t classes) {
        using T = decltype(zero);
        std::vector<T> data = logits<T>(classes, 1);
        data[0] = infinity<T>;
        data[static_cast<std::size_t>(2 * classes - 1)] = not_a_number<T>;
        for (std::int64_t j = 0; j < classes; ++j) data[static_cast<std::size_t>(2 * classes + j)] = -infinity<T>;
        const auto with = [&](HeadRoom<T>& room) {
            return [&room, classes](T* d) {
                room.own = {d[0], d[2 * classes - 1], d[2 * classes]};
                return room.template make<Product>(d, classes, 0.0, LinearLink<T, false>{nullptr});
            };
        };
        HeadRoom<T> named({0, classes - 1, 0}), wrong({-1, classes, std::int64_t{1} << 40});
        CHECK(disagreement(data, with(named)) == 0);
        CHECK(disagreement(data, with(wrong)) == 0);
        const std::vector<T> left = after<HostTeam<32>>(data, with(wrong));
        CHECK(std::vector<T>(left.begin(), left.end() - row_count) ==
              std::vector<T>(static_cast<std::size_t>(row_count * classes), T{0}));
        CHECK(std::isnan(left.back()));
    });
}
