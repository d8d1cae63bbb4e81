// What an epoch of training came to, and its line of metrics.jsonl.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace radial::train {

/// What one epoch came to. Accuracies are NaN where targets are not classes.
struct EpochResult {
    std::int64_t epoch = 0;                     ///< from 1
    double train_loss = 0, train_accuracy = 0;  ///< over the batches as they were trained on
    double test_loss = 0, test_accuracy = 0;    ///< after the epoch
    double best_accuracy = 0;                   ///< best test accuracy so far
    std::int64_t best_epoch = 0;                ///< the first epoch with that accuracy, or with the lowest test loss
    std::optional<double> mean_kernel;          ///< over the epoch; none for a loss without a kernel
    std::optional<double> initial_mean_kernel;  ///< of the run's first step
    double images_per_second = 0, seconds = 0;  ///< of training alone; of the epoch with its evaluation
    double lr = 0;                              ///< at the last step
    double gradient_norm = 0;                   ///< mean over the steps, before clipping
    std::size_t peak_bytes = 0;                 ///< most that tensors held at once during the epoch
    std::string order;                          ///< digest of the order in which the samples were visited
};

/// A line of metrics.jsonl. Values that do not exist or are not finite are null when it is written.
nlohmann::ordered_json to_json(const EpochResult& result);
/// The inverse of to_json(), with NaN for what was not finite. Throws nlohmann::json::exception for anything else.
EpochResult epoch_result(const nlohmann::ordered_json& line);

}  // namespace radial::train
