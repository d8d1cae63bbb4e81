// Tests of the metrics of verification: compared with scikit-learn's, and computed for all pairs of a set.
#include "radial/apps/train/verification.h"
#include "../../core/random_inputs.h"
#include "../../expect.h"
#include "../../folders.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <limits>

namespace radial::test {
namespace {

using train::FeatureDistance, train::VerificationMetrics;

const double limits[] = {0.5, 0.1, 0.01, 0.001, 0};

/// The values that scikit-learn computed; see tests/golden/verification_cases.py.
nlohmann::json recorded() {
    std::ifstream file(test_folder() + "/golden/verification.json");
    return nlohmann::json::parse(file);
}

void check_points(const VerificationMetrics& found, const nlohmann::json& points) {
    REQUIRE(found.points.size() == points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        INFO("FAR up to " << limits[i]);
        CHECK(std::abs(found.points[i].true_accept - points[i].at("tpr").get<double>()) < 1e-9);
        CHECK(std::abs(found.points[i].false_accept - points[i].at("fpr").get<double>()) < 1e-9);
        const bool none = points[i].at("threshold").is_null();
        const double threshold = found.points[i].threshold;
        CHECK((none ? threshold == -std::numeric_limits<double>::infinity()
                    : threshold == points[i].at("threshold").get<double>()));
    }
}

/// 40 features of four classes of unequal size, some of them far apart.
struct Samples {
    Tensor features = RandomInputs(11).tensor({40, 6}, -2, 2, DType::float32).to(Device{});
    Tensor labels = Tensor::empty({40}, DType::int64, Device{});

    Samples() {
        for (std::int64_t i = 0; i < 40; ++i) {
            const std::int64_t label = i < 20 ? 0 : i < 30 ? 1 : 2 + i % 2;
            labels.data<std::int64_t>()[i] = label;
            features.data<float>()[6 * i + label] += 2;
        }
    }
    /// Returns the distances of the pairs of the same class, and those of the pairs of different classes.
    std::pair<std::vector<double>, std::vector<double>> pairs(FeatureDistance distance) const {
        std::vector<double> same, different;
        for (std::int64_t i = 0; i < 40; ++i) {
            for (std::int64_t j = i + 1; j < 40; ++j) {
                const double value =
                    train::row_distances(features.rows(i, i + 1), features.rows(j, j + 1), distance).front();
                const auto* const label = labels.data<const std::int64_t>();
                (label[i] == label[j] ? same : different).push_back(value);
            }
        }
        return {same, different};
    }
};

}  // namespace

TEST_CASE("AUROC, equal error rate and TAR at FAR are those of scikit-learn", "[apps][verification]") {
    const nlohmann::json cases = recorded();
    REQUIRE(cases.size() == 8);
    for (const auto& [name, entry] : cases.items()) {
        INFO(name);
        const auto same = entry.at("same").get<std::vector<double>>();
        const auto different = entry.at("different").get<std::vector<double>>();
        const VerificationMetrics found = train::verification_metrics(same, different, limits);
        CHECK(found.same == std::ssize(same));
        CHECK(found.different == std::ssize(different));
        CHECK(std::abs(found.auroc - entry.at("auroc").get<double>()) < 1e-9);
        CHECK(std::abs(found.equal_error_rate - entry.at("equal_error_rate").get<double>()) < 1e-9);
        check_points(found, entry.at("points"));
    }
}

TEST_CASE("the figures of all pairs of a set are those of its pairs one by one", "[apps][verification]") {
    const Samples samples;
    for (const FeatureDistance distance : {FeatureDistance::euclidean, FeatureDistance::cosine}) {
        const auto [same, different] = samples.pairs(distance);
        const VerificationMetrics expected = train::verification_metrics(same, different);
        const VerificationMetrics found =
            train::verify_all_pairs(samples.features.to(default_device()), samples.labels, distance);
        CHECK(found.same == expected.same);
        CHECK(found.different == expected.different);
        CHECK(std::abs(found.auroc - expected.auroc) < 1e-4);  // similar distances are counted together
        CHECK(std::abs(found.equal_error_rate - expected.equal_error_rate) < 1e-3);
        for (std::size_t i = 0; i < found.points.size(); ++i) {
            CHECK(std::abs(found.points[i].true_accept - expected.points[i].true_accept) < 1e-3);
            if (std::isfinite(expected.points[i].threshold))
                CHECK(std::abs(found.points[i].threshold - expected.points[i].threshold) < 1e-4);
        }
    }
}

TEST_CASE("the cosine distance of a zero row is 1", "[apps][verification]") {
    const Tensor rows = Tensor::from(std::vector<float>{0, 0, 3, 4}, {2, 2}, Device{});
    const Tensor others = Tensor::from(std::vector<float>{1, 0, 4, 3}, {2, 2}, Device{});
    const std::vector<double> cosine = train::row_distances(rows, others, FeatureDistance::cosine);
    CHECK(cosine[0] == 1);
    CHECK(std::abs(cosine[1] - 0.04) < 1e-12);
    CHECK(std::abs(train::row_distances(rows, others, FeatureDistance::euclidean)[1] - std::sqrt(2.0)) < 1e-12);
}

TEST_CASE("verification refuses what it cannot measure", "[apps][verification]") {
    const std::vector<double> some = {0.5}, none, bad = {std::nan("")}, limit = {1.5};
    const auto refused = [](const auto&... arguments) {
        return error_of([&] { train::verification_metrics(arguments...); });
    };
    CHECK(refused(none, some) == "verification: there are no pairs of the same class");
    CHECK(refused(some, none) == "verification: there are no pairs of different classes");
    CHECK(refused(some, bad) == "verification: a distance is nan, expected a finite number");
    CHECK(refused(some, some, limit) == "verification: the false accept rate is 1.5, expected from 0 to 1");
    const Tensor features = Tensor::zeros({2, 3}), labels = Tensor::zeros({3}, DType::int64, Device{});
    CHECK(error_of([&] { train::verify_all_pairs(features, labels, FeatureDistance::cosine); }) ==
          "verification: labels are int64[3], expected int64[2] on the CPU");
}

}  // namespace radial::test
