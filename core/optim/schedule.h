// Learning-rate schedules: pure functions of the training's progress.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace radial {

/// From the progress in epochs (fractional; 0 at the first step) to the learning rate.
using Schedule = std::function<double(double epoch)>;

/// Always `lr`.
Schedule constant_schedule(double lr);

/// At and after `epoch`, the rate is multiplied by `factor`.
struct Milestone {
    double epoch;
    double factor;
};
/// lr times the factors of all milestones passed. Throws Error when they are not in ascending order.
Schedule step_schedule(double lr, std::vector<Milestone> milestones);

struct CosineOptions {
    double lr = 0.1;           ///< peak
    double final_lr = 0.0;     ///< at `epochs`
    double epochs = 100;       ///< length, warm-up included
    double warmup_epochs = 0;  ///< linear from warmup_start * lr to lr
    double warmup_start = 0.0;
};
/// Half a cosine from lr to final_lr after a linear warm-up (Loshchilov & Hutter 2017; Goyal et al. 2017); final_lr
/// from `epochs` on. Throws Error unless 0 <= warmup_epochs < epochs.
Schedule cosine_schedule(const CosineOptions& options);

/// `base`, multiplied during the first `epochs` by a factor that rises linearly from `start` to 1.
/// Throws Error when `epochs` is negative.
Schedule with_warmup(Schedule base, double epochs, double start = 0.0);

}  // namespace radial
