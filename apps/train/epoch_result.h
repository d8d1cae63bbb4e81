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

/// A metric of the loss (LossMetric) over an epoch. NaN stands for a value that is unknown or was not finite.
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
    std::int64_t best_epoch = 0;                ///< the first epoch with that accuracy, or with the lowest test loss
    std::vector<MetricResult> metrics{};        ///< metrics of the loss, in its order
    double images_per_second = 0, seconds = 0;  ///< speed of training; duration including the evaluation
    double lr = 0;                              ///< learning rate of the last step
    double gradient_norm = 0;                   ///< mean over the steps, before clipping
    std::size_t peak_bytes = 0;                 ///< peak memory of tensors on the device, in bytes
    std::string order{};                        ///< hash of the order in which samples were visited, hexadecimal

    /// The mean of the metric with this name, or nothing if the loss has none.
    std::optional<double> metric(std::string_view name) const;
};

/// Throws Error unless `name` is a valid name of a metric: it consists of lower-case letters, digits and underscores,
/// begins with a letter but not with "initial_", and is no key of metrics.jsonl or tag of TensorBoard.
void check_metric_name(std::string_view name);
/// The name with spaces instead of underscores: "mean kernel" for "mean_kernel".
std::string metric_label(std::string_view name);
/// metric_label() with a capital first letter: "Mean kernel".
std::string metric_title(std::string_view name);
/// The names of the metrics that have a finite value in some epoch, in the order in which they first occur.
std::vector<std::string> metric_names(const std::vector<EpochResult>& history);

/// Averages the metrics over steps.
class MetricMeans {
public:
    /// Adds the metrics of a step.
    void add(const std::vector<MetricValue>& values);
    /// The means over the steps since the last clear(), of the metrics that those steps had.
    std::vector<MetricResult> results() const;
    /// Forgets the steps so far except the initial values.
    void clear();

    /// The sums so far, for a snapshot: an object for each metric, under its name.
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

/// A line of metrics.jsonl. Each metric has two keys: its name, for the mean, and "initial_" before the name. Numbers
/// that are not finite become null when the line is written.
nlohmann::ordered_json to_json(const EpochResult& result);
/// The inverse of to_json(); numbers that were not finite become NaN. Keys that to_json() does not know are metrics if
/// their values are numbers or null. Throws nlohmann::json::exception when a value is missing or has the wrong type,
/// and Error for a value that is not the expected integer.
EpochResult epoch_result(const nlohmann::ordered_json& line);

}  // namespace radial::train
