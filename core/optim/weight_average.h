// Averages of weights over the steps of a training run, which often test better than the last step's.
#pragma once

#include "radial/core/nn/module.h"

#include <cstdint>
#include <vector>

namespace radial {

/// An exponential moving average beside each of some tensors: average = d average + (1 - d) tensor (Polyak & Juditsky
/// 1992; the form of Tarvainen & Valpola 2017). In update number t, from 1, d is the lesser of `decay` and
/// (1 + t) / (10 + t), so that a short run does not go on remembering its first weights.
class WeightAverage {
public:
    /// Starts as copies of what the tensors hold: a module's averaged_state(), so that running statistics are averaged
    /// with the weights that they belong to, and counters and flags stay those of the last step. Those that are not
    /// float32 or float64 are left out. Throws Error when decay is not in [0, 1).
    WeightAverage(std::vector<NamedTensor> tensors, double decay);

    /// Takes in what the tensors hold now: once after each of the optimizer's steps. Does not wait for a device.
    void update();
    /// Exchanges the averages and what the tensors hold, in place.
    void swap();
    /// The averages under their tensors' names, and "updates", how many there were (int64 scalar). Not copies, but for
    /// the latter.
    std::vector<NamedTensor> state() const;
    /// Takes over another's state(). Throws Error as copy_state() does.
    void load_state(const std::vector<NamedTensor>& state);
    double decay() const { return decay_; }

private:
    std::vector<NamedTensor> tensors_;
    std::vector<NamedTensor> averages_;
    double decay_;
    std::int64_t updates_ = 0;
};

/// While one lives, an average stands in its tensors' place; with none, nothing does.
class UseAverage {
public:
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
