// Tests of cumulative sums, products and maxima: values by hand, zeros, NaN, layouts, messages.
#include "radial/core/ops/kernels/scan.h"
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/kernels/team.h"
#include "radial/core/ops.h"

#include <cmath>

namespace radial::test {
namespace {

using Numbers = std::vector<double>;
using Scan = Tensor (*)(const Tensor&, int);

const std::vector<Scan> scans = {cumsum, cumprod, cummax};

}  // namespace

TEST_CASE("cumulative ops include the element itself, along any dimension", "[core][ops]") {
    const Tensor x = Tensor::from<double>({1, 2, 3, 4, 1, 2}, {2, 3});
    CHECK(cumsum(x, 1).to_vector<double>() == Numbers{1, 3, 6, 4, 5, 7});
    CHECK(cumsum(x, 0).to_vector<double>() == Numbers{1, 2, 3, 5, 3, 5});
    CHECK(cumprod(x, -1).to_vector<double>() == Numbers{1, 2, 6, 4, 4, 8});
    CHECK(cumprod(x, 0).to_vector<double>() == Numbers{1, 2, 3, 4, 2, 6});
    CHECK(cummax(x, 1).to_vector<double>() == Numbers{1, 2, 3, 4, 4, 4});
    CHECK(cummax(x, 0).to_vector<double>() == Numbers{1, 2, 3, 4, 2, 3});
}

TEST_CASE("the gradient of cumprod is right where elements are 0", "[core][ops]") {
    Tensor x = Tensor::from<double>({2, 0, 3, 0, 5}, {5});
    x.set_requires_grad();
    sum(cumprod(x, 0)).backward();
    // y = a, ab, abc, abcd, abcde with b = d = 0: dy/da = 1, dy/db = a + ac, all others 0.
    CHECK(x.grad().to_vector<double>() == Numbers{1, 8, 0, 0, 0});
}

TEST_CASE("the gradient of cummax goes to the last of equal elements", "[core][ops]") {
    Tensor x = Tensor::from<double>({1, 3, 3, 2}, {4});
    x.set_requires_grad();
    sum(cummax(x, 0)).backward();
    CHECK(x.grad().to_vector<double>() == Numbers{1, 1, 2, 0});
}

TEST_CASE("a NaN stays in all later results", "[core][ops]") {
    for (const Scan scan : scans) {
        const auto y = scan(Tensor::from<float>({1, NAN, 5}, {3}), 0).to_vector<double>();
        CHECK(y[0] == 1);
        CHECK(std::isnan(y[1]));
        CHECK(std::isnan(y[2]));
    }
}

TEST_CASE("cumulative ops keep the layout and accept empty tensors", "[core][ops]") {
    const Tensor x = RandomInputs(51).tensor({2, 3, 4, 5});
    for (const Scan scan : scans) {
        for (int dim = 0; dim < 4; ++dim) {
            const Tensor y = scan(x.to(Layout::channels_last), dim);
            CHECK(y.layout() == Layout::channels_last);
            CHECK(relative_difference(y, scan(x, dim)) == 0);
        }
        CHECK(scan(Tensor::zeros({0, 3}), 1).shape() == Shape{0, 3});
        CHECK(scan(Tensor::zeros({3, 0}), 1).shape() == Shape{3, 0});
    }
}

TEST_CASE("a long cumulative sum keeps its digits", "[core][ops]") {
    const auto y = cumsum(Tensor::full({100003}, 0.1), 0).to_vector<double>();
    CHECK(y.back() == Approx(10000.3).epsilon(1e-6));
}

TEST_CASE("cumulative ops in bfloat16 are float32's, rounded", "[core][ops]") {
    const Tensor x = RandomInputs(52).tensor({3, 4, 5}, 0.5, 1.5, DType::float32);
    for (const Scan scan : {Scan{cumsum}, Scan{cumprod}}) {
        for (const int dim : {0, 1, 2})
            CHECK(bfloat16_problem([&](const auto& in) { return scan(in[0], dim); }, {x}, 0.03) == "");
    }
}

TEST_CASE("a row scanned by many lanes is that scanned by one", "[core][ops][host]") {
    using Row = kernels::ScanRow<double, kernels::RunningSum>;
    for (const std::int64_t n : {1, 31, 32, 33, 100}) {
        for (const bool reverse : {false, true}) {
            std::vector<double> x(static_cast<std::size_t>(2 * n)), one(x.size()), many(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i * i % 17);
            std::vector<double> scratch(static_cast<std::size_t>(2 * Row::chunks(n)));
            for (const std::int64_t row : {0, 1}) {
                Row{x.data(), one.data(), nullptr, n, reverse, {}}(kernels::SerialTeam{}, row);
                Row{x.data(), many.data(), scratch.data(), n, reverse, {}}(kernels::HostTeam<4>{}, row);
            }
            CHECK(one == many);
        }
    }
}

TEST_CASE("cumulative ops name the dimension that does not exist", "[core][ops]") {
    const Tensor x = Tensor::zeros({2, 3});
    CHECK(error_of([&] { cumsum(x, 2); }) == "cumsum: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([&] { cumprod(x, -3); }) == "cumprod: dimension -3 of [2, 3], which has 2");
    CHECK(error_of([&] { cummax(x, 5); }) == "cummax: dimension 5 of [2, 3], which has 2");
}

}  // namespace radial::test
