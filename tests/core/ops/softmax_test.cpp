// Tests of softmax, log_softmax and log_sum_exp: values, infinities, layouts, messages.
#include "radial/core/ops/kernels/softmax.h"
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/kernels/team.h"
#include "radial/core/ops.h"

#include <cmath>
#include <limits>

namespace radial::test {
namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

bool all_nan(const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

}  // namespace

TEST_CASE("softmax divides exponentials by their sum along any dimension", "[core][ops]") {
    const Tensor x = Tensor::from<double>({0, std::log(3), 0, std::log(2), std::log(5), std::log(4)}, {2, 3});
    const auto rows = softmax(x, 1).to_vector<double>(), columns = softmax(x, 0).to_vector<double>();
    const std::vector<double> along_rows = {0.2, 0.6, 0.2, 2.0 / 11, 5.0 / 11, 4.0 / 11};
    const std::vector<double> along_columns = {1.0 / 3, 3.0 / 8, 0.2, 2.0 / 3, 5.0 / 8, 0.8};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(rows[i] == Approx(along_rows[i]));
        CHECK(columns[i] == Approx(along_columns[i]));
    }
}

TEST_CASE("softmax does not overflow, and gives -inf the share 0", "[core][ops]") {
    const Tensor x = Tensor::from<float>({1000, 1000, -infinite, 0}, {1, 4});
    CHECK(softmax(x, 1).to_vector<double>() == std::vector<double>{0.5, 0.5, 0, 0});
    CHECK(softmax(x.view({4, 1}), 0).to_vector<double>() == std::vector<double>{0.5, 0.5, 0, 0});
}

TEST_CASE("softmax and log_softmax of nothing but -inf are NaN, in that row only", "[core][ops]") {
    const Tensor x = Tensor::from<float>({-infinite, -infinite, 2, 2}, {2, 2});
    const std::vector<Tensor (*)(const Tensor&, int)> both = {softmax, log_softmax};
    for (const auto op : both) {
        const auto y = op(x, 1).to_vector<double>();
        CHECK(all_nan({y[0], y[1]}));
        CHECK_FALSE(std::isnan(y[2]));
        const auto z = op(Tensor::from<float>({-infinite, 2, -infinite, 2}, {2, 2}), 0).to_vector<double>();
        CHECK(all_nan({z[0], z[2]}));
        CHECK(z[1] == y[2]);
    }
}

TEST_CASE("a NaN or +inf makes all elements of its softmax NaN", "[core][ops]") {
    for (const float odd : {infinite, std::nanf("")}) {
        CHECK(all_nan(softmax(Tensor::from<float>({1, odd, 2}, {1, 3}), 1).to_vector<double>()));
        CHECK(all_nan(softmax(Tensor::from<float>({1, odd, 2}, {3, 1}), 0).to_vector<double>()));
    }
}

TEST_CASE("softmax in bfloat16 is float32's, rounded", "[core][ops]") {
    const std::vector<Tensor> inputs{RandomInputs(92).tensor({2, 3, 5, 7}, -2, 2)};
    for (const int dim : {0, 1, 2, 3}) {
        CHECK(bfloat16_problem([&](const auto& in) { return softmax(in[0], dim); }, inputs, 0.02) == "");
        CHECK(bfloat16_problem([&](const auto& in) { return log_softmax(in[0], dim); }, inputs, 0.02) == "");
    }
}

TEST_CASE("softmax keeps the layout, and may be taken over no elements", "[core][ops]") {
    const Tensor x = RandomInputs(93).tensor({2, 3, 4, 5}, -2, 2).to(Layout::channels_last);
    CHECK(softmax(x, 1).layout() == Layout::channels_last);
    CHECK(softmax(Tensor::zeros({0, 3}), 1).shape() == Shape{0, 3});
    CHECK(log_softmax(Tensor::zeros({3, 0, 2}), 1).shape() == Shape{3, 0, 2});
}

namespace {

/// The results of SoftmaxAlong and of its gradient for x [2, 3, 130].
template <bool Log, class Team>
std::pair<std::vector<double>, std::vector<double>> along_middle(const Team& team) {
    constexpr std::int64_t extent = 3, inner = 130, count = 2 * extent * inner;
    const auto x = RandomInputs(94).tensor({count}, -3, 3).to_vector<double>();
    std::vector<double> y(x.size()), dx(x.size()), tops(2 * inner), totals(2 * inner);
    for (std::int64_t task = 0; task < 2 * kernels::Columns::tasks(inner); ++task) {
        kernels::SoftmaxAlong<double, Log>{x.data(), y.data(), tops.data(), totals.data(), extent, inner}(team, task);
        kernels::SoftmaxAlongGradient<double, Log>{y.data(), x.data(), dx.data(), totals.data(), extent, inner}(team,
                                                                                                                task);
    }
    return {y, dx};
}

}  // namespace

TEST_CASE("softmax by many lanes is that by one", "[core][ops][host]") {
    const kernels::HostTeam<4> lanes;
    CHECK(along_middle<false>(lanes) == along_middle<false>(kernels::SerialTeam{}));
    CHECK(along_middle<true>(lanes) == along_middle<true>(kernels::SerialTeam{}));
}

TEST_CASE("softmax names the dimension that does not exist", "[core][ops]") {
    CHECK(error_of([] { softmax(Tensor::zeros({2, 3}), 2); }) == "softmax: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([] {
              log_softmax(Tensor::zeros({2, 3}), -3);
          }) == "log_softmax: dimension -3 of [2, 3], which has 2");
    CHECK(error_of([] { softmax(Tensor::zeros({3}, DType::uint8), 0); }) ==
          "softmax: the input is uint8[3], expected float32 or float64");
}

}  // namespace radial::test
