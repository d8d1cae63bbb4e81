// Learning-rate schedules.
#pragma once

#include <functional>
#include <vector>

namespace radial {

/// Maps the progress in epochs (fractional; 0 at the first step) to the learning rate.
using Schedule = std::function<double(double epoch)>;

/// A constant rate.
Schedule constant_schedule(double lr);

/// A point at which the rate changes.
struct Milestone {
    double epoch;   ///< the rate changes at this epoch
    double factor;  ///< multiplies the rate from then on
};
/// `lr` times the factors of all milestones reached. Throws Error when the milestones are not in ascending order of
/// epochs.
Schedule step_schedule(double lr, std::vector<Milestone> milestones);

/// Options of the schedules that go from a highest rate to a final one.
struct AnnealingOptions {
    double lr = 0.1;            ///< highest rate
    double final_lr = 0.0;      ///< rate at the end
    double epochs = 100;        ///< length including the warm-up
    double warmup_epochs = 0;   ///< length of the linear rise from warmup_start * lr to lr
    double warmup_start = 0.0;  ///< first rate, as a fraction of lr
};
/// A linear warm-up, then half a period of a cosine from lr to final_lr (Loshchilov & Hutter 2017; Goyal et al. 2017),
/// then final_lr. Throws Error unless 0 <= warmup_epochs < epochs.
Schedule cosine_schedule(const AnnealingOptions& options);
/// A linear warm-up, then a straight line from lr to final_lr, then final_lr: with a warm-up of about a quarter of the
/// run, the triangular schedule of Smith & Topin 2018 ("Super-Convergence"). Throws as cosine_schedule() does.
Schedule linear_schedule(const AnnealingOptions& options);
/// A linear warm-up, then from lr to final_lr as (1 - progress)^power falls from 1 to 0, then final_lr: the "poly"
/// schedule (Chen et al. 2018, "DeepLab", Sec. 4.3). With power 1 it is linear_schedule(). Throws as cosine_schedule()
/// does, and unless power > 0.
Schedule polynomial_schedule(const AnnealingOptions& options, double power = 0.9);
/// A linear warm-up, then from lr to final_lr by the same factor in every epoch, then final_lr. Throws as
/// cosine_schedule() does, and unless lr > 0 and final_lr > 0.
Schedule exponential_schedule(const AnnealingOptions& options);
/// Half a period of a cosine from warmup_start * lr up to lr, half a period from lr down to final_lr, then final_lr:
/// the learning rate of the one-cycle policy (Smith & Topin 2018), with cosines as in PyTorch's OneCycleLR. Throws
/// unless 0 < warmup_epochs < epochs.
Schedule one_cycle_schedule(const AnnealingOptions& options);

/// `base` with a linear warm-up: during the first `epochs` epochs, its rate is multiplied by a factor that rises
/// linearly from `start` to 1. Throws Error when `epochs` is negative.
Schedule with_warmup(Schedule base, double epochs, double start = 0.0);

}  // namespace radial
