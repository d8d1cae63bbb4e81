// Averages of weights over the steps of a training run, which often generalise better than the last weights.
#pragma once

#include "radial/core/nn/module.h"

#include <cstdint>
#include <vector>

namespace radial {

/// An exponential moving average of tensors: average = d average + (1 - d) tensor (Polyak & Juditsky 1992; in the form
/// of Tarvainen & Valpola 2017). In update t, counted from 1, d is the smaller of `decay` and (1 + t) / (10 + t), so
/// that the initial weights lose their influence even in a short run.
class WeightAverage {
public:
    /// The averages start as copies of the tensors. Pass a module's averaged_state(): running statistics are then
    /// averaged with the weights they belong to, while counters and flags are not. Tensors that are not float32 or
    /// float64 are left out. Throws Error when decay is not in [0, 1).
    WeightAverage(std::vector<NamedTensor> tensors, double decay);
    WeightAverage(const WeightAverage&) = delete;
    WeightAverage& operator=(const WeightAverage&) = delete;
    virtual ~WeightAverage() = default;

    /// Adds the current values of the tensors to the averages. Call it after each optimizer step. Does not wait for a
    /// device.
    virtual void update();
    /// Exchanges the averages with the values of the tensors, in place.
    void swap();
    /// The averages under the names of their tensors (not copied), and "updates", the number of updates as an int64
    /// scalar.
    std::vector<NamedTensor> state() const;
    /// Restores the state() of another average. Throws as copy_state() does.
    void load_state(const std::vector<NamedTensor>& state);
    /// The decay that was given to the constructor.
    double decay() const { return decay_; }

protected:
    /// Counts a call of update(), and returns the number of calls so far.
    std::int64_t count() { return ++updates_; }
    /// Sets each average to decay * average + (1 - decay) * tensor.
    void mix(double decay);
    /// Sets the tensors to the averages.
    void adopt() const;

private:
    std::vector<NamedTensor> tensors_;
    std::vector<NamedTensor> averages_;
    double decay_;
    std::int64_t updates_ = 0;
};

/// Options of Lookahead.
struct LookaheadOptions {
    std::int64_t interval = 5;  ///< steps from one average to the next
    double decay = 0.95;        ///< largest decay per step, reached in the last step
    double power = 3;           ///< how the decay grows over the run: as (step / steps)^power
    std::int64_t steps = 1;     ///< number of steps of the run
};

/// Lookahead (Zhang et al. 2019, "Lookahead Optimizer: k steps forward, 1 step back"): after every `interval` steps,
/// average = d average + (1 - d) tensor, and training continues from the average. d = decay^interval *
/// (step / steps)^power is 0 at the start and grows, as in Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single
/// GPU" (3.4).
class Lookahead : public WeightAverage {
public:
    /// Starts as WeightAverage does. Throws Error when interval or steps is below 1, decay is not in [0, 1), or power
    /// is negative.
    Lookahead(std::vector<NamedTensor> tensors, const LookaheadOptions& options);
    /// Counts a step. Averages after every `interval` steps and after the last step of the run.
    void update() override;
    /// Changes the number of steps of the run, for example when the run is resumed with another batch size. Throws
    /// Error when `steps` is below 1.
    void set_steps(std::int64_t steps);

private:
    LookaheadOptions options_;
};

/// Exchanges the averages of a WeightAverage with the values of its tensors while the object exists. Does nothing for
/// null.
class UseAverage {
public:
    /// Calls swap() now and again in the destructor.
    explicit UseAverage(WeightAverage* average) : average_(average) {
        if (average_ != nullptr) average_->swap();
    }
    ~UseAverage() {
        if (average_ != nullptr) average_->swap();
    }
    UseAverage(const UseAverage&) = delete;
    UseAverage& operator=(const UseAverage&) = delete;

private:
    WeightAverage* average_;
};

}  // namespace radial
