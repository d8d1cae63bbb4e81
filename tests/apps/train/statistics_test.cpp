// Compares cluster indices, correlations, quantiles and principal components with those of scikit-learn and SciPy.
#include "../../expect.h"
#include "../../folders.h"
#include "radial/train.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

namespace radial::test {
namespace {

using train::calinski_harabasz;
using train::pearson_correlation;
using train::principal_components;
using train::spearman_correlation;

/// The cases that tests/golden/prototype_cases.py recorded.
nlohmann::json recorded(const char* kind) {
    std::ifstream file(test_folder() + "/golden/statistics.json");
    return nlohmann::json::parse(file).at(kind);
}

std::vector<float> points_of(const nlohmann::json& one) { return one.at("points").get<std::vector<float>>(); }

}  // namespace

TEST_CASE("Calinski-Harabasz indices are scikit-learn's", "[host][statistics]") {
    const nlohmann::json cases = recorded("clusters");
    REQUIRE(cases.size() == 10);
    for (const nlohmann::json& one : cases) {
        INFO(one.at("name"));
        const double index =
            calinski_harabasz(points_of(one), one.at("labels").get<std::vector<std::int64_t>>(), one.at("dim"));
        CHECK(index == Approx(one.at("index").get<double>()).epsilon(1e-9));
    }
}

TEST_CASE("quantiles of Student's t are SciPy's", "[host][statistics]") {
    // scipy.stats.t.ppf
    CHECK(train::student_t_quantile(0.975, 1) == Approx(12.706204736174694).epsilon(1e-9));
    CHECK(train::student_t_quantile(0.975, 2) == Approx(4.302652729696142).epsilon(1e-9));
    CHECK(train::student_t_quantile(0.95, 5) == Approx(2.0150483733330233).epsilon(1e-9));
    CHECK(train::student_t_quantile(0.025, 29) == Approx(-2.045229642132703).epsilon(1e-9));
    CHECK(train::student_t_quantile(0.995, 1000) == Approx(2.5807546980659506).epsilon(1e-9));
    CHECK(train::student_t_quantile(0.5, 3) == Approx(0).margin(1e-9));
    CHECK(error_of([] { train::student_t_quantile(1, 3); }) ==
          "student_t_quantile: probability 1 and 3 degrees of freedom, expected within (0, 1) and at least 1");
}

TEST_CASE("the interval of a mean has the width of Student's t", "[host][statistics]") {
    const std::vector<double> values = {1, 2, 6};
    const train::MeanInterval interval = train::mean_interval(values);
    CHECK(interval.mean == Approx(3));
    CHECK(interval.half_width == Approx(4.302652729696142 * std::sqrt(7.0 / 3)));  // the variance is 7
    CHECK(train::mean_interval(std::vector<double>{5}).mean == 5);
    CHECK(std::isnan(train::mean_interval(std::vector<double>{5}).half_width));
    CHECK(error_of([] { train::mean_interval({}); }) == "mean_interval: no values");
    CHECK(error_of([&] { train::mean_interval(values, 1); }) ==
          "mean_interval: confidence is 1, expected within (0, 1)");
}

TEST_CASE("clusters that have no index are named", "[host][statistics]") {
    const std::vector<float> points = {1, 2, 3, 4};
    const auto complaint = [&points](const std::vector<std::int64_t>& labels, std::size_t dim = 1) {
        return error_of([&] { calinski_harabasz(points, labels, dim); });
    };
    CHECK(complaint({5, 5, 5, 5}) ==
          "calinski_harabasz: the number of clusters is 1, expected 2 to 3, one less than there are points");
    CHECK(complaint({0, 1, 2, 3}) ==
          "calinski_harabasz: the number of clusters is 4, expected 2 to 3, one less than there are points");
    CHECK(complaint({0, 1, 1}) == "calinski_harabasz: 4 points and 3 labels");
    CHECK(complaint({0, 1}, 3) == "calinski_harabasz: 4 numbers, expected a multiple of the dimension 3");
    CHECK(error_of([] {
              calinski_harabasz(std::vector<float>{1, 2, NAN, 4}, std::vector<std::int64_t>{0, 1}, 2);
          }) == "calinski_harabasz: point 1 is not finite");
}

TEST_CASE("correlations are SciPy's", "[host][statistics]") {
    const nlohmann::json cases = recorded("correlations");
    REQUIRE(cases.size() == 7);
    for (const nlohmann::json& one : cases) {
        INFO(one.at("name"));
        const auto x = one.at("x").get<std::vector<double>>(), y = one.at("y").get<std::vector<double>>();
        CHECK(pearson_correlation(x, y) == Approx(one.at("pearson").get<double>()).epsilon(1e-9));
        CHECK(spearman_correlation(x, y) == Approx(one.at("spearman").get<double>()).epsilon(1e-9));
    }
}

TEST_CASE("a list that is constant or not finite has no correlation", "[host][statistics]") {
    const std::vector<double> x = {1, 2, 3}, constant = {0.1, 0.1, 0.1}, broken = {1, NAN, 3};
    for (const auto& y : {constant, broken}) {
        CHECK(std::isnan(pearson_correlation(x, y)));
        CHECK(std::isnan(spearman_correlation(y, x)));
    }
    CHECK(error_of([&] {
              pearson_correlation(x, std::vector<double>{1, 2});
          }) == "pearson_correlation: lists of 3 and 2 numbers, expected the same, 2 or more");
    CHECK(error_of([&] { spearman_correlation(std::vector<double>{1}, std::vector<double>{1}); }) ==
          "spearman_correlation: lists of 1 and 1 numbers, expected the same, 2 or more");
}

TEST_CASE("principal components are scikit-learn's, with the largest element positive", "[host][statistics]") {
    const nlohmann::json cases = recorded("components");
    REQUIRE(cases.size() == 4);
    for (const nlohmann::json& one : cases) {
        INFO(one.at("name"));
        const train::PrincipalComponents found = principal_components(points_of(one), one.at("dim"), 2);
        const auto components = one.at("components").get<std::vector<double>>();
        REQUIRE(found.components.size() == components.size());
        for (std::size_t i = 0; i < components.size(); ++i) CHECK(std::abs(found.components[i] - components[i]) < 1e-9);
        for (std::size_t i = 0; i < 2; ++i)
            CHECK(found.explained[i] == Approx(one.at("explained").at(i).get<double>()).epsilon(1e-9));
    }
}

TEST_CASE("a projection keeps the origin and the distances within its plane", "[host][statistics]") {
    const std::vector<float> points = {5, 1, 2, 5, 4, 6, 5, 7, 3, 5, 9, 9};  // all points are in the plane x = 5
    const train::PrincipalComponents found = principal_components(points, 3, 2);
    const std::vector<float> plane = found.project(points);
    CHECK(std::hypot(plane[2] - plane[0], plane[3] - plane[1]) == Approx(5));
    CHECK(found.explained[0] + found.explained[1] == Approx(1));
    CHECK(found.project(std::vector<float>{0, 0, 0}) == std::vector<float>{0, 0});
    CHECK(error_of([&] {
              found.project(std::vector<float>{1, 2});
          }) == "PrincipalComponents: 2 numbers, expected a multiple of 3");
}

TEST_CASE("points without variance have components that explain nothing", "[host][statistics]") {
    const std::vector<float> points = {1, 2, 3, 1, 2, 3};
    CHECK(principal_components(points, 3, 2).explained == std::vector<double>{0, 0});
    CHECK(error_of([&] { principal_components(points, 6, 1); }) ==
          "principal_components: 1 points, expected 2 or more");
    CHECK(error_of([&] { principal_components(points, 3, 4); }) ==
          "principal_components: 4 components of 3 dimensions asked for");
}

}  // namespace radial::test
