// Detects a kernel loss whose gradient has vanished because no prototype is near the features.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace radial::train {

/// Mean kernel below which a kernel loss is dead: the gradient is too small for features and prototypes to approach
/// each other again.
inline constexpr double dead_kernel = 1e-6;
/// Length in steps of the windows over which the mean kernel is checked.
inline constexpr std::int64_t kernel_window = 50;

/// Averages the mean kernel of a loss (Loss::mean_kernel()) over the epoch, and checks it over windows of steps.
class KernelWatch {
public:
    /// With `allow_dead`, a dead kernel is not an error.
    explicit KernelWatch(bool allow_dead) : allow_dead_(allow_dead) {}

    /// Adds the mean kernel of a step; nothing for a loss without a kernel. Throws NumericError with
    /// dead_kernel_message() at the end of a window of kernel_window steps whose mean is below dead_kernel, unless that
    /// is allowed.
    void add(std::optional<double> kernel);
    /// Ends the epoch and returns the mean over its steps, or nothing for a loss without a kernel. An epoch that is
    /// shorter than a window is checked as a window; throws as add() does.
    std::optional<double> end_epoch();
    /// The sums and counts so far, for a snapshot.
    nlohmann::ordered_json state() const;
    /// Restores the state() of another object. Throws nlohmann::json::exception or Error when it is invalid.
    void restore(const nlohmann::ordered_json& state);
    /// The mean kernel of the first step of the run, if there was one.
    std::optional<double> initial() const { return initial_; }

private:
    void check_window();

    bool allow_dead_;
    std::optional<double> initial_;
    double window_sum_ = 0, epoch_sum_ = 0;
    std::int64_t window_steps_ = 0, epoch_steps_ = 0, steps_ = 0;
};

/// The message of the error: "mean kernel 0 after 50 steps: every prototype is out of reach of the features, so no
/// gradient flows. Normalise the loss's features, lower the learning rate, clip the gradient's norm at 1, or raise the
/// loss's gamma"
std::string dead_kernel_message(double kernel, std::int64_t steps);

}  // namespace radial::train
