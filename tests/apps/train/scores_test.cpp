// Tests of the scores of samples: those of a batch, thresholds, and how well a score separates two sets.
#include "radial/apps/train/scores.h"
#include "../../expect.h"
#include "../../folders.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <limits>

namespace radial::test {
namespace {

using train::SampleScore;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

SampleScore score(std::vector<double> values) { return {.name = "kernel", .description = "", .values = values}; }

/// The values that scikit-learn computed; see tests/golden/rejection_cases.py.
const nlohmann::json& recorded() {
    static const nlohmann::json cases = [] {
        std::ifstream file(test_folder() + "/golden/rejection.json");
        return nlohmann::json::parse(file);
    }();
    return cases;
}

/// A loss whose own score, named `name`, has `length` values.
class Scored : public Loss {
public:
    explicit Scored(std::string name, std::int64_t length) : name_(std::move(name)), length_(length) {}
    Tensor forward(const Tensor& feature, const Tensor&) override { return sum(feature); }
    Tensor logits(const Tensor& feature) override { return feature; }
    std::vector<LossScore> scores(const Tensor&) override {
        return {{.name = name_, .description = "a test's", .values = Tensor::zeros({length_})}};
    }

private:
    std::string name_;
    std::int64_t length_;
};

}  // namespace

TEST_CASE("AUROC, FPR at 95% TPR and its threshold are those of scikit-learn", "[apps][scores]") {
    REQUIRE(recorded().size() == 20);
    for (const auto& [name, entry] : recorded().items()) {
        INFO(name);
        const SampleScore inliers = score(entry.at("inliers").get<std::vector<double>>());
        const SampleScore outliers = score(entry.at("outliers").get<std::vector<double>>());
        const train::Separation found = train::separation(inliers, outliers);
        CHECK(std::abs(found.auroc - entry.at("auroc").get<double>()) < 1e-9);
        CHECK(std::abs(found.false_positives - entry.at("fpr").get<double>()) < 1e-9);
        CHECK(train::threshold_keeping(inliers) == entry.at("threshold").get<double>());
    }
}

TEST_CASE("separation does not depend on the order of the samples", "[apps][scores]") {
    const train::Separation sorted = train::separation(score({1, 2, 2, 3, 5}), score({0, 2, 2, 4}));
    const train::Separation mixed = train::separation(score({5, 2, 1, 3, 2}), score({2, 4, 0, 2}));
    CHECK(sorted.auroc == mixed.auroc);
    CHECK(sorted.false_positives == mixed.false_positives);
}

TEST_CASE("a threshold keeps at least the share that is asked for, and the next one does not", "[apps][scores]") {
    const SampleScore ten = score({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(train::threshold_keeping(ten, 0.9) == 1);
    CHECK(train::threshold_keeping(ten, 0.91) == 0);
    CHECK(train::threshold_keeping(ten, 1) == 0);
    CHECK(train::threshold_keeping(ten, 0.01) == 9);
    CHECK(train::separation(ten, score({-1, 1, 5}), 0.5).false_positives == Approx(1.0 / 3));
}

TEST_CASE("scores that are not numbers are refused by name and place", "[apps][scores]") {
    const SampleScore good = score({1, 2});
    CHECK(error_of([&] {
              train::separation(score({1, nan}), good);
          }) == "score kernel: inlier 1 has the score nan, expected a finite number");
    CHECK(error_of([&] {
              train::separation(good, score({nan, 1}));
          }) == "score kernel: outlier 0 has the score nan, expected a finite number");
    CHECK(error_of([&] {
              train::separation(good, score({1, -infinity}));
          }) == "score kernel: outlier 1 has the score -inf, expected a finite number");
    CHECK(error_of([&] { train::threshold_keeping(score({infinity})); }) ==
          "score kernel: sample 0 has the score inf, expected a finite number");
}

TEST_CASE("empty sets and shares out of range are refused", "[apps][scores]") {
    const SampleScore good = score({1, 2});
    CHECK(error_of([&] { train::separation(score({}), good); }) == "score kernel: there are no inliers");
    CHECK(error_of([&] { train::separation(good, score({})); }) == "score kernel: there are no outliers");
    CHECK(error_of([&] { train::threshold_keeping(score({})); }) == "score kernel: there are no samples");
    CHECK(error_of([&] { train::threshold_keeping(good, 0); }) ==
          "the share of the samples to keep is 0, expected above 0 and at most 1");
    CHECK(error_of([&] { train::separation(good, good, nan); }) == "the recall is nan, expected above 0 and at most 1");
}

TEST_CASE("every classifier has the largest probability and the energy of its logits", "[apps][scores]") {
    const auto loss = make_loss("softmax", 3, 2);
    const std::vector<double> z = {1, 2, 3, -400, 0.5, 400, 7, 7, 7};
    const Tensor logits = Tensor::from(z, {3, 3}), feature = Tensor::zeros({3, 2});
    for (const double temperature : {1.0, 2.5}) {
        const std::vector<LossScore> found = train::scores_of(*loss, feature, logits, temperature);
        REQUIRE(found.size() == 2);
        CHECK(found[0].name == "probability");
        CHECK(found[1].name == "energy");
        const auto probability = found[0].values.to_vector<double>(), energy = found[1].values.to_vector<double>();
        CHECK(probability[0] == Approx(std::exp(3) / (std::exp(1) + std::exp(2) + std::exp(3))));
        CHECK(probability[1] == 1);
        CHECK(probability[2] == Approx(1.0 / 3));
        const double t = temperature;
        CHECK(energy[0] == Approx(t * std::log(std::exp(1 / t) + std::exp(2 / t) + std::exp(3 / t))));
        CHECK(energy[1] == Approx(400));
        CHECK(energy[2] == Approx(7 + t * std::log(3)));
    }
    CHECK(error_of([&] { train::scores_of(*loss, feature, logits, 0); }) ==
          "energy: the temperature is 0, expected above 0");
}

TEST_CASE("probabilities near 1 stay apart, as they are computed in float64", "[apps][scores]") {
    const auto loss = make_loss("softmax", 2, 2);
    const Tensor logits = Tensor::from(std::vector<float>{20, 0, 25, 0}, {2, 2});
    const auto p = train::scores_of(*loss, Tensor::zeros({2, 2}), logits)[0].values.to_vector<double>();
    CHECK(p[0] < p[1]);
    CHECK(p[1] < 1);
}

TEST_CASE("a loss's own scores come first, and are checked", "[apps][scores]") {
    const Tensor x = Tensor::zeros({4, 3});
    const auto scores = [&](const std::string& name, std::int64_t length) {
        Scored loss(name, length);
        return train::scores_of(loss, x, loss.logits(x));
    };
    CHECK(scores("own", 4).front().name == "own");
    CHECK(error_of([&] { scores("energy", 4); }) == "two scores are called \"energy\"");
    CHECK(error_of([&] { scores("own", 3); }) == "score own: the values are float32[3], expected one per sample, [4]");
}

TEST_CASE("a score is found by its name, and the first one by none", "[apps][scores]") {
    const std::vector<LossScore> batch = {{"kernel", "", {}}, {"energy", "", {}}};
    CHECK(train::score_named(batch, "energy").name == "energy");
    CHECK(train::score_named(batch, "").name == "kernel");
    CHECK(error_of([&] { train::score_named(batch, "kernle"); }) ==
          "there is no score \"kernle\"; the scores of this classifier are kernel, energy");
}

TEST_CASE("batches of scores are collected in order", "[apps][scores]") {
    train::ScoreCollector collector;
    CHECK(collector.read().empty());
    collector.add({{"a", "first", Tensor::from(std::vector<float>{1, 2}, {2})}});
    collector.add({{"a", "first", Tensor::from(std::vector<float>{3}, {1})}});
    const std::vector<SampleScore> all = collector.read();
    REQUIRE(all.size() == 1);
    CHECK(all[0].description == "first");
    CHECK(all[0].values == std::vector<double>{1, 2, 3});
    CHECK(error_of([&] {
              collector.add({{"b", "", Tensor::zeros({1})}});
          }) == "the scores of two batches have different names");
}

}  // namespace radial::test
