// The results of training steps, which are kept on the device until the host reads them.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace radial::train {

/// The results of a training step.
struct StepNumbers {
    double loss = 0;               ///< mean over the batch
    double correct = 0;            ///< number of correct predictions; NaN for targets that are not classes
    std::optional<double> kernel;  ///< mean kernel of the loss; nothing for a loss without one
    double gradient_norm = 0;      ///< before clipping
};

/// The results of a training step and its place in the run, for observers.
struct StepReport {
    std::int64_t step = 0;    ///< number of the step in the run, from 1
    std::int64_t images = 0;  ///< number of images in its batch, over all ranks
    double lr = 0;            ///< learning rate of the step
    double seconds = 0;       ///< from the start of the epoch until the host read this and perhaps other steps
    StepNumbers numbers;      ///< the results
};

/// Collects the results of steps on a device without waiting for it.
class StepLog {
public:
    /// Keeps the results of up to `capacity` steps on `device`.
    StepLog(Device device, std::int64_t capacity);

    /// Sets the loss of the current step: a scalar of any type on the device. Part of the step, so a step graph records
    /// it; the same holds for the other setters.
    void set_loss(const Tensor& value) { set(0, value); }
    /// Sets the number of correct predictions of the current step.
    void set_correct(const Tensor& value) { set(1, value); }
    /// Sets the mean kernel of the current step. An undefined tensor means that the loss has no kernel.
    void set_kernel(const Tensor& value) {
        has_kernel_ = value.defined();
        if (has_kernel_) set(2, value);
    }
    /// Sets the gradient norm of the current step.
    void set_gradient_norm(const Tensor& value) { set(3, value); }

    /// Ends the current step and keeps its results. Not part of a step graph. Throws Error when full().
    void keep();
    /// Whether `capacity` steps are kept, so take() must be called before keep().
    bool full() const { return kept_ == capacity_; }
    /// Removes and returns the results of the kept steps, the oldest first. Waits for the device.
    std::vector<StepNumbers> take();

private:
    void set(std::int64_t which, const Tensor& value);

    std::int64_t capacity_, kept_ = 0;
    bool has_kernel_ = true;
    Tensor present_;  ///< float64 [4]
    Tensor rows_;     ///< float64 [capacity, 4]
};

}  // namespace radial::train
