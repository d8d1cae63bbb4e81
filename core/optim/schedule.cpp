// Learning-rate schedules.
#include "radial/core/optim/schedule.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace radial {

Schedule constant_schedule(double lr) {
    return [lr](double) { return lr; };
}

Schedule step_schedule(double lr, std::vector<Milestone> milestones) {
    for (std::size_t i = 1; i < milestones.size(); ++i)
        RADIAL_CHECK(milestones[i - 1].epoch < milestones[i].epoch,
                     "step_schedule: milestone {} follows {}, expected ascending epochs", milestones[i].epoch,
                     milestones[i - 1].epoch);
    return [lr, milestones = std::move(milestones)](double epoch) {
        double rate = lr;
        for (const Milestone& milestone : milestones)
            if (epoch >= milestone.epoch) rate *= milestone.factor;
        return rate;
    };
}

namespace {

void check_warmup(const char* who, const AnnealingOptions& options) {
    RADIAL_CHECK(options.warmup_epochs >= 0 && options.warmup_epochs < options.epochs,
                 "{}: {} warm-up epochs of {}, expected at least 0 and fewer than all", who, options.warmup_epochs,
                 options.epochs);
}

/// The fraction of the epochs after the warm-up that has passed, from 0 to 1.
double progress_at(const AnnealingOptions& options, double epoch) {
    return std::clamp((epoch - options.warmup_epochs) / (options.epochs - options.warmup_epochs), 0.0, 1.0);
}

/// Half a period of a cosine, which falls from 1 to 0.
double falling_cosine(double progress) { return 0.5 * (1 + std::cos(std::numbers::pi * progress)); }

/// A warm-up, then share(progress) * lr + (1 - share(progress)) * final_lr, where progress rises from 0 to 1.
template <class Share>
Schedule annealing(const char* who, const AnnealingOptions& options, const Share& share) {
    check_warmup(who, options);
    const Schedule rate = [options, share](double epoch) {
        return options.final_lr + (options.lr - options.final_lr) * share(progress_at(options, epoch));
    };
    return with_warmup(rate, options.warmup_epochs, options.warmup_start);
}

}  // namespace

Schedule cosine_schedule(const AnnealingOptions& options) {
    return annealing("cosine_schedule", options, falling_cosine);
}

Schedule linear_schedule(const AnnealingOptions& options) {
    return annealing("linear_schedule", options, [](double progress) { return 1 - progress; });
}

Schedule polynomial_schedule(const AnnealingOptions& options, double power) {
    RADIAL_CHECK(power > 0, "polynomial_schedule: power is {}, expected above 0", power);
    return annealing("polynomial_schedule", options,
                     [power](double progress) { return std::pow(1 - progress, power); });
}

Schedule exponential_schedule(const AnnealingOptions& options) {
    check_warmup("exponential_schedule", options);
    RADIAL_CHECK(options.lr > 0 && options.final_lr > 0,
                 "exponential_schedule: from {} to {}, expected both rates above 0", options.lr, options.final_lr);
    const Schedule rate = [options](double epoch) {
        return options.lr * std::pow(options.final_lr / options.lr, progress_at(options, epoch));
    };
    return with_warmup(rate, options.warmup_epochs, options.warmup_start);
}

Schedule one_cycle_schedule(const AnnealingOptions& options) {
    check_warmup("one_cycle_schedule", options);
    RADIAL_CHECK(options.warmup_epochs > 0, "one_cycle_schedule: {} warm-up epochs, expected more than 0",
                 options.warmup_epochs);
    return [options](double epoch) {
        const bool rises = epoch < options.warmup_epochs;
        const double end = rises ? options.warmup_start * options.lr : options.final_lr;
        const double share = falling_cosine(rises ? 1 - epoch / options.warmup_epochs : progress_at(options, epoch));
        return end + (options.lr - end) * share;
    };
}

Schedule with_warmup(Schedule base, double epochs, double start) {
    RADIAL_CHECK(epochs >= 0, "with_warmup: {} epochs, expected at least 0", epochs);
    return [base = std::move(base), epochs, start](double epoch) {
        const double rate = base(epoch);
        return epoch < epochs ? rate * (start + (1 - start) * epoch / epochs) : rate;
    };
}

}  // namespace radial
