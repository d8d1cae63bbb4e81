// Finds a learning rate by raising it from step to step.
#pragma once

#include "radial/apps/train/training_step.h"
#include "radial/data/loader.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace radial::train {

/// Options of search_rate().
struct RateSearchOptions {
    double first = 1e-5, last = 10;  ///< rate of the first and of the last step
    /// The number of steps, including the first and the last. The rate grows by the same factor from each step to the
    /// next.
    std::int64_t steps = 100;
    /// Decay factor of the exponential moving average of the losses, which is bias-corrected.
    double smoothing = 0.9;
    double divergence = 4;  ///< the search ends when the average exceeds this many times its lowest value
};

/// One step of a search.
struct RatePoint {
    double lr = 0;        ///< learning rate of the step
    double loss = 0;      ///< loss before the step
    double smoothed = 0;  ///< moving average of the losses so far
};

/// The result of a search.
struct RateCurve {
    std::vector<RatePoint> points;  ///< the steps in order, except one with a loss or gradient norm that is not finite
    bool diverged = false;          ///< whether a loss or gradient norm was not finite, or the average was too large

    /// The rate at which the average falls fastest, as a function of the logarithm of the rate: a good peak rate for a
    /// schedule with a warm-up. NaN if the average never falls, or for fewer than three points.
    double steepest() const;
    /// The rate at which the average is lowest. Use a smaller one: training at this rate is probably unstable. NaN if
    /// there are no points.
    double lowest() const;
};

/// Trains with a learning rate that grows exponentially (the range test of Smith, "Cyclical Learning Rates for Training
/// Neural Networks", 2017, Sec. 3.3, with Gugger's exponential growth and stopping rule), and returns the losses. This
/// changes the weights and the state of the optimizer: build them again before training. Begins a new epoch of `train`
/// when one ends. Calls `seen` with each point of the curve, after its step. Throws Error for options out of their
/// range and for a training set without samples.
RateCurve search_rate(const StepSetup& setup, data::Loader& train, const RateSearchOptions& options = {},
                      const std::function<void(const RatePoint&)>& seen = {});

}  // namespace radial::train
