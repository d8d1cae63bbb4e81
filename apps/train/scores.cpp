// Scores of samples: those of a loss and of its logits, thresholds, and the separation of two sets.
#include "radial/apps/train/scores.h"

#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

namespace radial::train {
namespace {

/// Throws Error unless there are values and all are finite. `what` is the word for a sample in the message.
void check_values(const SampleScore& score, const char* what) {
    RADIAL_CHECK(!score.values.empty(), "score {}: there are no {}s", score.name, what);
    for (std::size_t i = 0; i < score.values.size(); ++i) {
        RADIAL_CHECK(std::isfinite(score.values[i]), "score {}: {} {} has the score {}, expected a finite number",
                     score.name, what, i, score.values[i]);
    }
}

void check_share(const char* what, double share) {
    RADIAL_CHECK(share > 0 && share <= 1, "{} is {}, expected above 0 and at most 1", what, share);
}

/// The values in descending order.
std::vector<double> descending(const std::vector<double>& values) {
    std::vector<double> sorted = values;
    std::ranges::sort(sorted, std::greater<>());
    return sorted;
}

/// Same as threshold_keeping(), for values in descending order.
double keeping(const std::vector<double>& sorted, double share) {
    const auto count = static_cast<double>(sorted.size());
    // Compares kept / count, the true positive rate as roc_curve() computes it, with `share`: the product share * count
    // may be rounded.
    std::size_t kept = static_cast<std::size_t>(std::floor(share * count));
    while (kept > 1 && static_cast<double>(kept - 1) / count >= share) --kept;
    while (kept < 1 || static_cast<double>(kept) / count < share) ++kept;
    return sorted[kept - 1];
}

template <class Score>
const Score& named(std::span<const Score> scores, std::string_view name) {
    const auto found = std::ranges::find(scores, name, &Score::name);
    if (found != scores.end()) return *found;
    std::vector<std::string> names;
    for (const Score& score : scores) names.push_back(score.name);
    throw Error(
        fmt::format("there is no score \"{}\"; the scores of this classifier are {}", name, fmt::join(names, ", ")));
}

}  // namespace

std::vector<LossScore> scores_of(Loss& loss, const Tensor& feature, const Tensor& logits, double temperature) {
    RADIAL_CHECK(temperature > 0 && std::isfinite(temperature), "energy: the temperature is {}, expected above 0",
                 temperature);
    std::vector<LossScore> scores = loss.scores(feature);
    const Tensor z = cast(logits, DType::float64);
    scores.push_back({.name = "probability",
                      .description = "The largest softmax probability.",
                      .values = exp(max(log_softmax(z), 1))});
    scores.push_back({.name = "energy",
                      .description = "The negative free energy: the logarithm of the sum of the exponentials of the "
                                     "logits.",
                      .values = log_sum_exp(z * (1 / temperature)) * temperature});
    std::set<std::string_view> names;
    for (const LossScore& score : scores) {
        RADIAL_CHECK(names.insert(score.name).second, "two scores are called \"{}\"", score.name);
        RADIAL_CHECK(score.values.defined() && score.values.shape() == Shape({feature.size(0)}),
                     "score {}: the values are {}, expected one per sample, [{}]", score.name,
                     score.values.defined() ? score.values.str() : "undefined", feature.size(0));
    }
    return scores;
}

void ScoreCollector::add(const std::vector<LossScore>& scores) {
    if (kinds_.empty()) {
        for (const LossScore& score : scores)
            kinds_.push_back({.name = score.name, .description = score.description, .values = {}});
        values_.resize(scores.size());
    }
    RADIAL_CHECK(std::ranges::equal(scores, kinds_, {}, &LossScore::name, &LossScore::name),
                 "the scores of two batches have different names");
    for (std::size_t i = 0; i < scores.size(); ++i) values_[i].push_back(scores[i].values);
}

std::vector<SampleScore> ScoreCollector::read() const {
    std::vector<SampleScore> all;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
        SampleScore score{.name = kinds_[i].name, .description = kinds_[i].description, .values = {}};
        for (const Tensor& batch : values_[i]) {
            const std::vector<double> values = batch.to_vector<double>();
            score.values.insert(score.values.end(), values.begin(), values.end());
        }
        all.push_back(std::move(score));
    }
    return all;
}

const SampleScore& score_named(std::span<const SampleScore> scores, std::string_view name) {
    return named(scores, name);
}

const LossScore& score_named(std::span<const LossScore> scores, std::string_view name) {
    return name.empty() && !scores.empty() ? scores.front() : named(scores, name);
}

double threshold_keeping(const SampleScore& score, double share) {
    check_share("the share of the samples to keep", share);
    check_values(score, "sample");
    return keeping(descending(score.values), share);
}

Separation separation(const SampleScore& inliers, const SampleScore& outliers, double recall) {
    check_share("the recall", recall);
    check_values(inliers, "inlier");
    check_values(outliers, "outlier");
    const std::vector<double> in = descending(inliers.values), out = descending(outliers.values);
    // Each inlier adds the number of outliers below it and half the number of those equal to it. The sum is the
    // Mann-Whitney statistic.
    double wins = 0;
    auto above = out.begin(), equal = out.begin();
    for (const double score : in) {
        while (above != out.end() && *above > score) ++above;
        equal = std::max(equal, above);
        while (equal != out.end() && *equal == score) ++equal;
        wins += static_cast<double>(out.end() - equal) + 0.5 * static_cast<double>(equal - above);
    }
    const auto positives = static_cast<double>(in.size()), negatives = static_cast<double>(out.size());
    const double threshold = keeping(in, recall);
    const auto passed = std::ranges::count_if(out, [threshold](double score) { return score >= threshold; });
    return {.auroc = wins / positives / negatives, .false_positives = static_cast<double>(passed) / negatives};
}

}  // namespace radial::train
