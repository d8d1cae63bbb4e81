// Evaluation of a network and its loss on a data set.
#pragma once

#include "radial/apps/train/confusion.h"
#include "radial/apps/train/precision.h"
#include "radial/core/nn/module.h"
#include "radial/data/loader.h"
#include "radial/losses/loss.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace radial::train {

/// The results of evaluate(). Members that are described as [total] have one element per sample, in the same order. For
/// targets that are not classes, those other than `samples` and `features` are empty.
struct Evaluation {
    /// The mean over the samples, weighted by class weights if the loss has them. For a loss that is not additive
    /// (Loss::additive()), the weighted mean over the batches.
    double loss = 0;
    double weight = 0;                    ///< number of samples, or sum of their class weights
    std::int64_t correct = 0, total = 0;  ///< number of correct predictions, and of samples
    bool whole = true;                    ///< false if `stop` ended evaluate(): the rest is then 0 or empty
    std::int64_t classes = 0;             ///< number of classes; 0 for other targets
    std::vector<float> features;          ///< [total, dim] if `keep_features` was set, or else empty
    std::vector<std::int64_t> labels;     ///< [total]: true classes
    std::vector<std::int64_t> samples;    ///< [total]: indices in the data set
    std::vector<std::int64_t> predicted;  ///< [total]: predicted classes
    std::vector<float> confidences;       ///< [total]: largest softmax probability of the scores
    /// [total]: squared distances |x - w|^2 to the nearest prototype of the true class; empty for a loss without
    /// prototypes.
    std::vector<float> own_distances;
    /// [total]: squared distances to the nearest prototype of another class; empty as own_distances.
    std::vector<float> nearest_distances;

    /// The confusion matrix of `labels` and `predicted`.
    Confusion confusion() const { return {labels, predicted, classes}; }
    /// The fraction of samples that are predicted correctly; 0 without samples, NaN for targets that are not classes.
    double accuracy() const;
};

/// A misclassified sample.
struct Mistake {
    std::int64_t sample = 0, truth = 0, predicted = 0;  ///< index in the data set, true class, predicted class
    double confidence = 0;                              ///< softmax probability of the predicted class
};
/// The `count` misclassified samples with the greatest confidence, the most confident first, or all of them if there
/// are fewer. A confidence that is not finite counts as 0.
std::vector<Mistake> worst_mistakes(const Evaluation& evaluation, std::size_t count);

/// Evaluates `model` and `loss`, which are on `device`, on all batches of `loader`, in evaluation mode and without
/// recording gradients; their previous modes are restored afterwards. Waits for the device every 32 batches and at the
/// end. `stop` is called before each batch; if it returns true, the evaluation ends and Evaluation::whole is false.
Evaluation evaluate(Layer& model, Loss& loss, data::Loader& loader, Device device, bool keep_features,
                    Precision precision = Precision::float32, const std::function<bool()>& stop = {});

}  // namespace radial::train
