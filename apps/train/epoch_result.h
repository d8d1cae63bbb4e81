// The results of an epoch, including the averages of the loss's metrics, and their line in metrics.jsonl.
#pragma once

#include "radial/apps/train/step_log.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// A metric of the loss (LossMetric) over an epoch. A value that is unknown, or that was not finite when it was written
/// to metrics.jsonl, is NaN.
struct MetricResult {
    std::string name;    ///< the metric's name
    double mean = 0;     ///< mean over the steps of the epoch
    double initial = 0;  ///< value at the first step of the run
};

/// The results of one epoch. Accuracies are in [0, 1], and NaN for targets that are not classes.
struct EpochResult {
    std::int64_t epoch = 0;                     ///< number of the epoch, from 1
    double train_loss = 0, train_accuracy = 0;  ///< over the training batches, during the epoch
    double test_loss = 0, test_accuracy = 0;    ///< on the test set, after the epoch
    double best_accuracy = 0;                   ///< best test accuracy so far
    /// The first epoch with that accuracy or, for targets that are not classes, with the lowest test loss.
    std::int64_t best_epoch = 0;
    std::vector<MetricResult> metrics{};        ///< metrics, in the order of the loss
    double images_per_second = 0, seconds = 0;  ///< speed of training; duration including the evaluation
    double lr = 0;                              ///< learning rate of the last step
    double gradient_norm = 0;                   ///< mean over the steps, before clipping
    std::size_t peak_bytes = 0;                 ///< peak memory of tensors on the device, in bytes
    std::string order{};                        ///< hash of the order in which samples were visited, hexadecimal

    /// The mean of the metric with this name, or nothing if the loss has none.
    std::optional<double> metric(std::string_view name) const;
};

/// Throws Error unless `name` is a valid name of a metric: it consists of lower-case letters, digits and underscores,
/// begins with a letter but not with "initial_", and is not the key or tag of another value in metrics.jsonl or in the
/// event files for TensorBoard.
void check_metric_name(std::string_view name);
/// Returns the name with spaces instead of underscores: "mean kernel" for "mean_kernel".
std::string metric_label(std::string_view name);
/// Returns metric_label() with a capital first letter: "Mean kernel".
std::string metric_title(std::string_view name);
/// Returns the names of the metrics whose mean is finite in some epoch, in the order in which they first occur.
std::vector<std::string> metric_names(const std::vector<EpochResult>& history);

/// Averages the metrics over steps.
class MetricMeans {
public:
    /// Adds the metrics of a step.
    void add(const std::vector<MetricValue>& values);
    /// Returns the means, over the steps since the last clear(), of the metrics that occurred in those steps.
    std::vector<MetricResult> results() const;
    /// Resets the sums and the numbers of steps, and keeps the initial values.
    void clear();

    /// Returns the sums so far for a snapshot: one JSON object per metric, under the metric's name.
    nlohmann::ordered_json state() const;
    /// Restores the state() of another object. Throws nlohmann::json::exception or Error when it is invalid; this
    /// object is then unchanged.
    void restore(const nlohmann::ordered_json& state);

private:
    struct Sum {
        std::string name;
        double initial = 0, sum = 0;
        std::int64_t steps = 0;
    };
    std::vector<Sum> sums_;
};

/// Returns the line of metrics.jsonl for an epoch. Each metric has two keys: its name, for the mean, and "initial_"
/// followed by its name, for the initial value. Numbers that are not finite become null when the line is written.
nlohmann::ordered_json to_json(const EpochResult& result);
/// The inverse of to_json(); numbers that were not finite become NaN. Keys other than those that to_json() always
/// writes are metrics if their values are numbers or null. Throws nlohmann::json::exception when a value is missing or
/// has the wrong type, and Error when a value that must be an integer is not an integer or is out of range.
EpochResult epoch_result(const nlohmann::ordered_json& line);

}  // namespace radial::train
