// Measuring a network and its loss on a data set.
#pragma once

#include "radial/apps/common/precision.h"
#include "radial/core/module.h"
#include "radial/data/loader.h"
#include "radial/losses/loss.h"

#include <cstdint>
#include <vector>

namespace radial::apps {

/// What a pass over a data set found.
struct Evaluation {
    double loss = 0;                      ///< mean over the samples
    std::int64_t correct = 0, total = 0;  ///< samples
    std::int64_t classes = 0;
    std::vector<std::int64_t> confusion;  ///< [classes, classes]: row the true class, column the predicted one
    std::vector<float> features;          ///< [total, dim], empty unless asked for
    std::vector<std::int64_t> labels;     ///< [total], in the features' order

    double accuracy() const { return total > 0 ? static_cast<double>(correct) / static_cast<double>(total) : 0; }
};

/// Runs the whole of `loader` through `model` in evaluation mode, without a tape; puts the modes back afterwards. Waits
/// for the device now and then, and at the end.
Evaluation evaluate(Layer& model, Loss& loss, data::Loader& loader, Device device, bool keep_features,
                    Precision precision = Precision::float32);

}  // namespace radial::apps
