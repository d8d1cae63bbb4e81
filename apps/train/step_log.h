// What training steps came to, kept on the device until the host looks.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace radial::train {

/// One step's numbers.
struct StepNumbers {
    double loss = 0;
    double correct = 0;            ///< predictions; NaN where targets are not classes
    std::optional<double> kernel;  ///< the loss's mean kernel, where it has one
    double gradient_norm = 0;      ///< before clipping
};

/// What a training step came to, for whoever watches a run step by step.
struct StepReport {
    std::int64_t step = 0;    ///< of the run, from 1
    std::int64_t images = 0;  ///< in its batch
    double lr = 0;
    double seconds = 0;  ///< from the epoch's start to when the host looked at the step, which may be with others
    StepNumbers numbers;
};

/// Collects the numbers of up to `capacity` steps on `device` without waiting for it.
class StepLog {
public:
    StepLog(Device device, std::int64_t capacity);

    /// Sets one of the present step's numbers to a scalar of any type on the device. Part of the step: it is recorded
    /// with it in a graph.
    void set_loss(const Tensor& value) { set(0, value); }
    void set_correct(const Tensor& value) { set(1, value); }
    /// Undefined for a loss without a kernel.
    void set_kernel(const Tensor& value) {
        has_kernel_ = value.defined();
        if (has_kernel_) set(2, value);
    }
    void set_gradient_norm(const Tensor& value) { set(3, value); }

    /// Ends the present step: keeps its numbers. Not part of a graph.
    void keep();
    bool full() const { return kept_ == capacity_; }
    /// The kept steps' numbers, oldest first, which are kept no longer. Waits for the device.
    std::vector<StepNumbers> take();

private:
    void set(std::int64_t which, const Tensor& value);

    std::int64_t capacity_, kept_ = 0;
    bool has_kernel_ = true;
    Tensor present_;  ///< float64 [4]
    Tensor rows_;     ///< float64 [capacity, 4]
};

}  // namespace radial::train
