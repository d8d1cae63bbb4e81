// Evaluation of a network and its loss on a data set, and the confusion matrix of the results.
#pragma once

#include "radial/apps/train/precision.h"
#include "radial/apps/train/scores.h"
#include "radial/apps/train/views.h"
#include "radial/core/nn/module.h"
#include "radial/core/tensor/tensor.h"
#include "radial/data/loader.h"
#include "radial/losses/loss.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace radial {
class Communicator;
}  // namespace radial

namespace radial::train {

/// A confusion matrix, [classes, classes]: the number of samples of each true class (row) for which each class was
/// predicted (column). Only cells that are not 0 are stored, so memory is at most proportional to the number of
/// samples, not to the square of the number of classes.
class Confusion {
public:
    /// A cell of the matrix that is not 0.
    struct Cell {
        std::int64_t truth = 0, predicted = 0;  ///< true class (row) and predicted class (column)
        std::int64_t count = 0;                 ///< number of samples
    };

    Confusion() = default;
    /// Counts the pairs of true and predicted class, one per sample. Throws Error when the spans differ in length or a
    /// class is outside [0, classes).
    Confusion(std::span<const std::int64_t> truths, std::span<const std::int64_t> predicted, std::int64_t classes);

    /// The number of classes.
    std::int64_t classes() const { return classes_; }
    /// All stored cells, ordered by true class, then by predicted class.
    std::span<const Cell> cells() const { return cells_; }
    /// The stored cells of a true class, ordered by predicted class. Throws Error when `truth` is out of range, as
    /// total() and count() do.
    std::span<const Cell> row(std::int64_t truth) const;
    /// The number of samples of a true class.
    std::int64_t total(std::int64_t truth) const;
    /// The number of samples of class `truth` for which `predicted` was predicted.
    std::int64_t count(std::int64_t truth, std::int64_t predicted) const;

private:
    std::int64_t classes_ = 0;
    std::vector<Cell> cells_;
    std::vector<std::size_t> rows_ = {0};  ///< start of each row in cells_, and the end of the last
};

/// The results of evaluate(). Members that are described as [total] have one element per sample, all in the same order.
/// For targets that are not classes, all vectors except `samples` and `features` are empty.
struct Evaluation {
    /// The mean loss over the samples, weighted by class weights if the loss has them. For a loss that is not additive
    /// (Loss::additive()), the mean over the batches, weighted by the number or the class weights of their samples.
    double loss = 0;
    double weight = 0;                    ///< number of samples, or sum of their class weights
    std::int64_t correct = 0, total = 0;  ///< number of correct predictions, and of samples
    bool whole = true;                    ///< false if `stop` ended evaluate(); other members are then 0 or empty
    std::int64_t classes = 0;             ///< number of classes; 0 for other targets
    /// [total, dim]: features in the space of the prototypes (Loss::in_prototype_space()), if `keep_features` was set,
    /// or else empty.
    std::vector<float> features;
    std::vector<std::int64_t> labels;     ///< [total]: true classes
    std::vector<std::int64_t> samples;    ///< [total]: indices in the data set
    std::vector<std::int64_t> predicted;  ///< [total]: predicted classes
    std::vector<float> confidences;       ///< [total]: largest softmax probability of the logits
    /// [total]: number of classes whose logits rank above that of the true class, as label_ranks() counts them: 0 for a
    /// correct prediction.
    std::vector<std::int64_t> label_ranks;
    /// [total]: squared distances |x - w|^2 of features to the nearest prototype of the true class; empty for a loss
    /// without prototypes and for fewer than two classes.
    std::vector<float> own_distances;
    /// [total]: squared distances to the nearest prototype of another class; empty when own_distances is.
    std::vector<float> nearest_distances;
    /// The scores that scores_of() computes, each with [total] values, if `keep_scores` was set and the targets are
    /// classes, or else empty.
    std::vector<SampleScore> scores;

    /// The confusion matrix of `labels` and `predicted`.
    Confusion confusion() const { return {labels, predicted, classes}; }
    /// The fraction of samples that are predicted correctly; 0 without samples, NaN for targets that are not classes.
    double accuracy() const;
    /// The fraction of samples whose true class is among the `k` classes with the largest logits; 0 without samples,
    /// NaN for targets that are not classes.
    double top_accuracy(std::int64_t k) const;
};

/// A misclassified sample.
struct Mistake {
    std::int64_t sample = 0, truth = 0, predicted = 0;  ///< index in the data set, true class, predicted class
    double confidence = 0;                              ///< softmax probability of the predicted class
};
/// Returns the `count` misclassified samples with the greatest confidence, the most confident first, or all of them if
/// there are fewer. A confidence that is not finite counts as 0.
std::vector<Mistake> worst_mistakes(const Evaluation& evaluation, std::size_t count);

/// Options of evaluate().
struct EvaluateOptions {
    bool keep_features = false;                ///< keep the features of all samples
    bool keep_scores = false;                  ///< keep the scores of all samples
    Precision precision = Precision::float32;  ///< precision of the network
    /// The views over which logits are averaged. Predictions, confidences and label ranks are those of the mean logits.
    /// The loss, features, distances and scores are those of the image itself.
    Views views = Views::one;
    /// Called before each batch; if it returns true, the evaluation ends and Evaluation::whole is false.
    std::function<bool()> stop = {};
};
/// Evaluates `model` and `loss`, which are on `device`, on all batches of `loader`, in evaluation mode and without
/// recording gradients; their previous modes are restored afterwards. Waits for the device every 32 batches and at the
/// end. Throws Error for several views of inputs that are not images [C, H, W].
Evaluation evaluate(Layer& model, Loss& loss, data::Loader& loader, Device device, const EvaluateOptions& options = {});

/// Merges the evaluations of the ranks, each of which has evaluated its part of each batch (with the loader of its
/// rank). The result is that of evaluate() on the whole set, except that `scores` are not merged and remain those of
/// `own`. All other members are the same on every rank, and the samples are ordered by their indices. With a single
/// rank, `own` is returned unchanged. Throws RankLost.
Evaluation merge_evaluations(Communicator& ranks, const Evaluation& own);

/// Returns the scores that scores_of() computes for all samples of `loader`. Their targets are not used and may be of
/// any kind. As in evaluate(), the modules are in evaluation mode and no gradients are recorded.
std::vector<SampleScore> score_samples(Layer& model, Loss& loss, data::Loader& loader, Device device,
                                       Precision precision = Precision::float32);

/// Returns one weight per class, inversely proportional to the frequency of the class in `labels` (int64 [N], on the
/// CPU, in [0, classes)). The weights of the classes that occur have mean 1; those of the others are 0. Throws Error
/// for a label that is out of range.
std::vector<double> balanced_weights(const Tensor& labels, std::int64_t classes);

}  // namespace radial::train
