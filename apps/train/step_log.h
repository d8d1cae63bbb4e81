// The results of training steps, which are kept on the device until the host reads them.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/losses/loss.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// A metric of the loss (LossMetric) as a number.
struct MetricValue {
    std::string name;  ///< the metric's name
    double value = 0;  ///< its value
};

/// The results of a training step.
struct StepNumbers {
    double loss = 0;                     ///< mean over the batch
    double correct = 0;                  ///< number of correct predictions; NaN for targets that are not classes
    double gradient_norm = 0;            ///< norm of the gradient before clipping
    std::vector<MetricValue> metrics{};  ///< metrics of the loss, means over the batch

    /// The metric with this name, or nothing if the loss has none.
    std::optional<double> metric(std::string_view name) const;
};

/// The results of a training step and its place in the run, for observers.
struct StepReport {
    std::int64_t step = 0;    ///< number of the step in the run, from 1
    std::int64_t images = 0;  ///< number of images in its batch, over all ranks
    double lr = 0;            ///< learning rate of the step
    double seconds = 0;       ///< from the start of the epoch until the host read the results, of one or more steps
    StepNumbers numbers;      ///< the results
};

/// Collects the results of steps on a device without waiting for it.
class StepLog {
public:
    /// Keeps the results of up to `capacity` steps on `device`.
    StepLog(Device device, std::int64_t capacity);

    /// Sets the metrics of the current step. Must be called before the other setters. All setters accept scalars of any
    /// floating-point type on the device, and are called within the step, so that a step graph records them. Throws
    /// Error for an invalid name (check_metric_name()), for a name that occurs twice, and for names other than those of
    /// the first step.
    void set_metrics(const std::vector<LossMetric>& metrics);
    /// Sets the loss of the current step.
    void set_loss(const Tensor& value) { set(0, value); }
    /// Sets the number of correct predictions of the current step.
    void set_correct(const Tensor& value) { set(1, value); }
    /// Sets the gradient norm of the current step.
    void set_gradient_norm(const Tensor& value) { set(2, value); }

    /// Ends the current step and keeps its results. Must be called outside the step that a graph records. Throws Error
    /// when full().
    void keep();
    /// Whether `capacity` steps are kept, so that take() must be called before the next keep().
    bool full() const { return kept_ == capacity_; }
    /// Removes and returns the results of the kept steps, the oldest first. Waits for the device.
    std::vector<StepNumbers> take();

private:
    void begin(const std::vector<LossMetric>& metrics);
    void set(std::int64_t which, const Tensor& value);

    Device device_;
    std::int64_t capacity_, kept_ = 0;
    std::vector<std::string> names_;  ///< names of the metrics
    Tensor present_;                  ///< the current step, float64 [3 + metrics]; undefined before the first step
    Tensor rows_;                     ///< the kept steps, float64 [capacity, 3 + metrics]
};

}  // namespace radial::train
