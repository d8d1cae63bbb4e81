// Scores that tell samples of the known classes from others, and how well they do so: AUROC and FPR at 95% TPR.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/losses/loss.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// The fraction of the inliers that the threshold of `eval` keeps, and the true positive rate at which `eval` reports
/// the false positive rate.
inline constexpr double usual_recall = 0.95;

/// The scores of a batch: first those of the loss (Loss::scores()), then the two that follow from its logits z [N,
/// classes], computed in float64:
///
///     probability = max over j of softmax(z)_j            (Hendrycks & Gimpel, ICLR 2017)
///     energy      = T log(sum over j of exp(z_j / T))     (Liu et al., NeurIPS 2020; their energy is the negative)
///
/// T is `temperature`; the paper and the programs use 1. For every score, a larger value means that a sample is more
/// similar to the training images. `logits` are those of `feature` [N, D]. Throws Error when `temperature` is not above
/// 0 or not finite, and when a score of the loss has the name of another score or a shape other than [N].
std::vector<LossScore> scores_of(Loss& loss, const Tensor& feature, const Tensor& logits, double temperature = 1);

/// One score of many samples.
struct SampleScore {
    std::string name, description;  ///< see LossScore
    std::vector<double> values;     ///< one per sample
};

/// Collects the scores of the batches of a set.
class ScoreCollector {
public:
    /// Adds the scores of a batch, as scores_of() returns them. The values stay on their device until read(). Throws
    /// Error when the names of the scores differ from those of the first batch.
    void add(const std::vector<LossScore>& scores);
    /// Returns all scores, with the values of the samples in the order in which they were added.
    std::vector<SampleScore> read() const;

private:
    std::vector<LossScore> kinds_;             ///< name and description only
    std::vector<std::vector<Tensor>> values_;  ///< for each score, one tensor per batch
};

/// Returns the score with this name. Throws Error, listing the names, when there is none.
const SampleScore& score_named(std::span<const SampleScore> scores, std::string_view name);
/// Same as above, for the scores of a batch. An empty name selects the first score, which is the loss's own if it has
/// any.
const LossScore& score_named(std::span<const LossScore> scores, std::string_view name);

/// The largest threshold that keeps at least the fraction `share` of the samples. A sample is kept if its score is at
/// least the threshold. Throws Error, naming the score, when there are no samples or a value is not finite, and unless
/// `share` is above 0 and at most 1.
double threshold_keeping(const SampleScore& score, double share = usual_recall);

/// How well a score separates inliers, the samples of the known classes, from outliers. Inliers are the positives.
struct Separation {
    /// Area under the receiver operating characteristic: the probability that a random inlier has a larger score than a
    /// random outlier, where a tie counts as one half (Fawcett 2006, "An introduction to ROC analysis").
    double auroc = 0;
    /// The smallest false positive rate (fraction of the outliers with a score of at least the threshold) over all
    /// thresholds at which the true positive rate (the same fraction of the inliers) is at least the recall. For a
    /// recall of 0.95, this is "FPR at 95% TPR" of Liang et al. 2018 (ODIN).
    double false_positives = 0;
};

/// Returns the separation of two sets by one score. Ties are counted as in scikit-learn's roc_auc_score() and
/// roc_curve(). Throws Error, naming the score, when a set has no samples or a value is NaN or infinite, and unless
/// `recall` is above 0 and at most 1.
Separation separation(const SampleScore& inliers, const SampleScore& outliers, double recall = usual_recall);

}  // namespace radial::train
