// Tests of precision, recall and F1 by class, and of calibration.
#include "radial/apps/train/class_metrics.h"
#include "../../expect.h"
#include "../../folders.h"
#include "../program.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace radial::test {
namespace {

train::Evaluation evaluation_of(const nlohmann::json& entry) {
    train::Evaluation evaluation;
    evaluation.classes = entry.at("classes");
    evaluation.labels = entry.at("labels").get<std::vector<std::int64_t>>();
    evaluation.predicted = entry.at("predicted").get<std::vector<std::int64_t>>();
    evaluation.confidences = entry.at("confidences").get<std::vector<float>>();
    evaluation.total = std::ssize(evaluation.labels);
    return evaluation;
}

nlohmann::json recorded() { return nlohmann::json::parse(read_text(test_folder() + "/golden/class_metrics.json")); }

}  // namespace

TEST_CASE("precision, recall and F1 are scikit-learn's", "[host]") {
    const nlohmann::json all = recorded();
    for (const auto& [name, entry] : all.items()) {
        INFO(name);
        const std::vector<train::ClassMetrics> found = train::class_metrics(evaluation_of(entry).confusion());
        REQUIRE(found.size() == entry.at("precision").size());
        for (std::size_t c = 0; c < found.size(); ++c) {
            CHECK(found[c].support == entry.at("support")[c]);
            CHECK(found[c].precision == Approx(entry.at("precision")[c].get<double>()).margin(1e-12));
            CHECK(found[c].recall == Approx(entry.at("recall")[c].get<double>()).margin(1e-12));
            CHECK(found[c].f1 == Approx(entry.at("f1")[c].get<double>()).margin(1e-12));
        }
        const train::ClassMetrics macro = train::macro_average(found);
        CHECK(macro.support == std::ssize(evaluation_of(entry).labels));
        CHECK(macro.precision == Approx(entry.at("macro")[0].get<double>()).margin(1e-12));
        CHECK(macro.recall == Approx(entry.at("macro")[1].get<double>()).margin(1e-12));
        CHECK(macro.f1 == Approx(entry.at("macro")[2].get<double>()).margin(1e-12));
    }
}

TEST_CASE("calibration errors are those of the recorded bins", "[host]") {
    const nlohmann::json all = recorded();
    for (const auto& [name, entry] : all.items()) {
        INFO(name);
        const train::Calibration found = train::calibration(evaluation_of(entry), entry.at("bins").get<std::size_t>());
        CHECK(found.expected_error == Approx(entry.at("expected_error").get<double>()).margin(1e-12));
        CHECK(found.largest_error == Approx(entry.at("largest_error").get<double>()).margin(1e-12));
    }
}

TEST_CASE("a confidence on a limit is in the bin below it, and 0 in the first", "[host]") {
    train::Evaluation evaluation;
    evaluation.labels = {0, 0, 0, 0, 0};
    evaluation.predicted = {0, 1, 0, 0, 0};
    evaluation.confidences = {0, 0.25F, 0.5F, 1, std::numeric_limits<float>::quiet_NaN()};
    const train::Calibration found = train::calibration(evaluation, 4);
    REQUIRE(found.bins.size() == 4);
    CHECK(found.bins[0].count == 2);
    CHECK(found.bins[0].accuracy == 0.5);
    CHECK(found.bins[0].mean_confidence == 0.125);
    CHECK(found.bins[1].count == 1);
    CHECK(found.bins[2].count == 0);
    CHECK(found.bins[3].count == 1);  // the confidence that is NaN is left out
    CHECK(found.largest_error == 0.5);
    CHECK(found.expected_error == Approx((2 * 0.375 + 0.5) / 4));
    CHECK(error_of([&] { train::calibration(evaluation, 0); }) == "calibration: needs at least one bin");
}

TEST_CASE("without samples all figures are 0", "[host]") {
    CHECK(train::macro_average(train::class_metrics({})).f1 == 0);
    CHECK(train::calibration({}).expected_error == 0);
    CHECK(train::calibration({}).bins.size() == train::usual_bins);
}

}  // namespace radial::test
