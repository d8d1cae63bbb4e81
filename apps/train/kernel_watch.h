// Notices a kernel loss whose prototypes are out of the features' reach, which no further training can mend.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace radial::train {

/// Below this mean kernel the gradient is too small to bring features and prototypes together again.
inline constexpr double dead_kernel = 1e-6;
/// Steps between two looks at the mean kernel.
inline constexpr std::int64_t kernel_window = 50;

/// Averages a loss's mean kernel over windows of steps and over the epoch.
class KernelWatch {
public:
    explicit KernelWatch(bool allow_dead) : allow_dead_(allow_dead) {}

    /// Takes one step's mean kernel (nothing for a loss without one). Throws NumericError at a window's end when its
    /// mean is below dead_kernel, unless that is allowed.
    void add(std::optional<double> kernel);
    /// Ends the epoch: looks at the steps since the last window, and gives the mean over the epoch. Throws as add().
    std::optional<double> end_epoch();
    /// All that it remembers, and taking that over from another.
    nlohmann::ordered_json state() const;
    void restore(const nlohmann::ordered_json& state);
    /// The kernel of the very first step.
    std::optional<double> initial() const { return initial_; }

private:
    void check_window();

    bool allow_dead_;
    std::optional<double> initial_;
    double window_sum_ = 0, epoch_sum_ = 0;
    std::int64_t window_steps_ = 0, epoch_steps_ = 0, steps_ = 0;
};

/// "mean kernel 0 after 50 steps: every prototype is out of reach of the features, so no gradient flows. Lower the
/// learning rate, clip the gradient's norm at 1, or raise the loss's gamma"
std::string dead_kernel_message(double kernel, std::int64_t steps);

}  // namespace radial::train
