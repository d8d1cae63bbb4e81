// The results of an epoch, and their line in metrics.jsonl.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace radial::train {

/// The results of one epoch. Accuracies are in [0, 1], and NaN for targets that are not classes.
struct EpochResult {
    std::int64_t epoch = 0;                     ///< number of the epoch, from 1
    double train_loss = 0, train_accuracy = 0;  ///< over the training batches, during the epoch
    double test_loss = 0, test_accuracy = 0;    ///< on the test set, after the epoch
    double best_accuracy = 0;                   ///< best test accuracy so far
    std::int64_t best_epoch = 0;                ///< the first epoch with that accuracy, or with the lowest test loss
    std::optional<double> mean_kernel;          ///< mean over the epoch; none for a loss without a kernel
    std::optional<double> initial_mean_kernel;  ///< mean kernel at the first step of the run
    double images_per_second = 0, seconds = 0;  ///< speed of training; duration including the evaluation
    double lr = 0;                              ///< learning rate of the last step
    double gradient_norm = 0;                   ///< mean over the steps, before clipping
    std::size_t peak_bytes = 0;                 ///< peak memory of tensors on the device, in bytes
    std::string order;                          ///< hash of the order in which samples were visited, hexadecimal
};

/// A line of metrics.jsonl. Values that do not exist are null. Numbers that are not finite become null when it
/// is written.
nlohmann::ordered_json to_json(const EpochResult& result);
/// The inverse of to_json(); numbers that were not finite become NaN. Throws nlohmann::json::exception when a value is
/// missing or has the wrong type, and Error for a value that is not the integer expected.
EpochResult epoch_result(const nlohmann::ordered_json& line);

}  // namespace radial::train
