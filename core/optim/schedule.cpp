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

/// A warm-up, then lr and final_lr mixed: share(progress) is the part of lr, where progress rises from 0 to 1.
template <class Share>
Schedule annealing(const char* who, const AnnealingOptions& options, const Share& share) {
    RADIAL_CHECK(options.warmup_epochs >= 0 && options.warmup_epochs < options.epochs,
                 "{}: {} warm-up epochs of {}, expected at least 0 and fewer than all", who, options.warmup_epochs,
                 options.epochs);
    const Schedule rate = [options, share](double epoch) {
        const double progress = (epoch - options.warmup_epochs) / (options.epochs - options.warmup_epochs);
        return options.final_lr + (options.lr - options.final_lr) * share(std::clamp(progress, 0.0, 1.0));
    };
    return with_warmup(rate, options.warmup_epochs, options.warmup_start);
}

}  // namespace

Schedule cosine_schedule(const AnnealingOptions& options) {
    return annealing("cosine_schedule", options,
                     [](double progress) { return 0.5 * (1 + std::cos(std::numbers::pi * progress)); });
}

Schedule linear_schedule(const AnnealingOptions& options) {
    return annealing("linear_schedule", options, [](double progress) { return 1 - progress; });
}

Schedule with_warmup(Schedule base, double epochs, double start) {
    RADIAL_CHECK(epochs >= 0, "with_warmup: {} epochs, expected at least 0", epochs);
    return [base = std::move(base), epochs, start](double epoch) {
        const double rate = base(epoch);
        return epoch < epochs ? rate * (start + (1 - start) * epoch / epochs) : rate;
    };
}

}  // namespace radial
