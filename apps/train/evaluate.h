// Measuring a network and its loss on a data set.
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

/// What a pass over a data set found.
struct Evaluation {
    double loss = 0;  ///< mean over the samples, each as its class counts; over batches where it is not additive (Loss)
    double weight = 0;                    ///< what the mean divides by: samples, or the sum of their class weights
    std::int64_t correct = 0, total = 0;  ///< samples
    bool whole = true;                    ///< false where it was given up: what follows is then empty
    std::int64_t classes = 0;
    std::vector<float> features;       ///< [total, dim], empty unless asked for
    std::vector<std::int64_t> labels;  ///< [total], in the features' order, as all below; where targets are not
                                       ///< classes, all but `samples` and `features` are empty

    std::vector<std::int64_t> samples;     ///< [total]: numbers in the data set
    std::vector<std::int64_t> predicted;   ///< [total]: classes
    std::vector<float> confidences;        ///< [total]: of the predicted class in the softmax of the scores
    std::vector<float> own_distances;      ///< [total]: |x - w|^2 to the nearest prototype of the true class
    std::vector<float> nearest_distances;  ///< [total]: the same to the nearest one of another class
                                           ///< Both are empty for a loss without prototypes.

    Confusion confusion() const { return {labels, predicted, classes}; }
    /// Part of the samples that are correct; NaN where targets are not classes.
    double accuracy() const;
};

/// A sample that was taken for another class.
struct Mistake {
    std::int64_t sample = 0, truth = 0, predicted = 0;
    double confidence = 0;
};
/// Those `count` samples, or as many as there are, that were taken for another class with the greatest confidence, most
/// confident first.
std::vector<Mistake> worst_mistakes(const Evaluation& evaluation, std::size_t count);

/// Runs the whole of `loader` through `model` in evaluation mode, without a tape; puts the modes back afterwards. Waits
/// for the device now and then, and at the end. Gives up as soon as `stop` says so, which is asked before each batch.
Evaluation evaluate(Layer& model, Loss& loss, data::Loader& loader, Device device, bool keep_features,
                    Precision precision = Precision::float32, const std::function<bool()>& stop = {});

}  // namespace radial::train
