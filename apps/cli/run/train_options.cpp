// The schedule and the optimizer of a training run.
#include "radial/apps/cli/run/train_options.h"

#include "radial/core/util/error.h"

#include <fmt/ranges.h>

#include <utility>

namespace radial::train {

std::string describe_schedule(const OptimizerOptions& options) {
    std::string text =
        options.schedule == ScheduleKind::cosine
            ? fmt::format("cosine from {} to 0 over {} epochs", options.lr, options.epochs)
        : options.schedule == ScheduleKind::step
            ? fmt::format("from {} in steps at epochs {}", options.lr, fmt::join(options.milestones, ", "))
            : fmt::format("constant {}", options.lr);
    if (options.warmup_epochs > 0) text += fmt::format(", after a warm-up of {}", options.warmup_epochs);
    return text;
}

Schedule make_schedule(const OptimizerOptions& options) {
    const auto epochs = static_cast<double>(options.epochs);
    RADIAL_CHECK(options.schedule == ScheduleKind::step || options.milestones.empty(),
                 "--milestones: only the step schedule has them, --schedule is {}",
                 option_value(options.schedule).str());
    RADIAL_CHECK(options.warmup_epochs < epochs, "--warmup-epochs: {} is not below --epochs {}", options.warmup_epochs,
                 options.epochs);
    if (options.schedule == ScheduleKind::cosine)
        return cosine_schedule({.lr = options.lr, .epochs = epochs, .warmup_epochs = options.warmup_epochs});
    const std::size_t count = options.milestones.size(), factors = options.lr_factors.size();
    RADIAL_CHECK(factors == 1 || factors == count || count == 0, "--lr-factor: {} factors for {} milestones", factors,
                 count);
    std::vector<Milestone> milestones;
    for (std::size_t i = 0; i < count; ++i)
        milestones.push_back({options.milestones[i], options.lr_factors[factors == 1 ? 0 : i]});
    RADIAL_CHECK(options.schedule != ScheduleKind::step || !milestones.empty(),
                 "--schedule step: give --milestones, such as 4,6");
    Schedule schedule = milestones.empty() ? constant_schedule(options.lr) : step_schedule(options.lr, milestones);
    return options.warmup_epochs > 0 ? with_warmup(std::move(schedule), options.warmup_epochs) : schedule;
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const std::vector<Tensor>& parameters) {
    RADIAL_CHECK(!options.nesterov || options.momentum > 0, "--nesterov: needs --momentum above 0");
    ParameterGroup decayed{.parameters = {}, .weight_decay = options.weight_decay}, others;
    for (const Tensor& parameter : parameters) {
        const bool weight = parameter.rank() >= 2;
        (weight || options.weight_decay_on == DecayedParameters::all ? decayed : others)
            .parameters.push_back(parameter);
    }
    std::vector<ParameterGroup> groups;
    for (ParameterGroup& group : std::vector{decayed, others})
        if (!group.parameters.empty()) groups.push_back(std::move(group));
    return std::make_unique<Sgd>(
        std::move(groups), SgdOptions{.lr = options.lr, .momentum = options.momentum, .nesterov = options.nesterov});
}

}  // namespace radial::train
