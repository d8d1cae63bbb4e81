// Windows of mean kernels, and the error that names the cure of a dead one.
#include "radial/apps/train/kernel_watch.h"

#include "radial/apps/train/run/json_numbers.h"
#include "radial/core/util/error.h"

#include <utility>

namespace radial::train {

std::string dead_kernel_message(double kernel, std::int64_t steps) {
    return fmt::format(
        "mean kernel {:.3g} after {} step{}: every prototype is out of reach of the features, so no gradient flows. "
        "Normalise the loss's features, lower the learning rate, clip the gradient's norm at 1, or raise the loss's "
        "gamma",
        kernel, steps, steps == 1 ? "" : "s");
}

void KernelWatch::add(std::optional<double> kernel) {
    if (!kernel) return;
    if (steps_ == 0) initial_ = kernel;
    ++steps_;
    epoch_sum_ += *kernel;
    window_sum_ += *kernel;
    ++epoch_steps_;
    if (++window_steps_ == kernel_window) check_window();
}

std::optional<double> KernelWatch::end_epoch() {
    if (epoch_steps_ == 0) return std::nullopt;
    // A few steps are no evidence, unless they are all there is.
    if (window_steps_ == epoch_steps_) check_window();
    window_sum_ = 0;
    window_steps_ = 0;
    const double sum = std::exchange(epoch_sum_, 0);
    return sum / static_cast<double>(std::exchange(epoch_steps_, 0));
}

nlohmann::ordered_json KernelWatch::state() const {
    return {{"initial", initial_ ? nlohmann::ordered_json(*initial_) : nlohmann::ordered_json(nullptr)},
            {"window_sum", window_sum_},
            {"epoch_sum", epoch_sum_},
            {"window_steps", window_steps_},
            {"epoch_steps", epoch_steps_},
            {"steps", steps_}};
}

void KernelWatch::restore(const nlohmann::ordered_json& state) {
    initial_.reset();
    if (!state.at("initial").is_null()) initial_ = state.at("initial").get<double>();
    window_sum_ = real_number(state, "window_sum");
    epoch_sum_ = real_number(state, "epoch_sum");
    window_steps_ = whole_number<std::int64_t>(state, "window_steps");
    epoch_steps_ = whole_number<std::int64_t>(state, "epoch_steps");
    steps_ = whole_number<std::int64_t>(state, "steps");
}

void KernelWatch::check_window() {
    const double mean = window_sum_ / static_cast<double>(window_steps_);
    window_sum_ = 0;
    window_steps_ = 0;
    if (mean < dead_kernel && !allow_dead_) throw NumericError(dead_kernel_message(mean, steps_));
}

}  // namespace radial::train
