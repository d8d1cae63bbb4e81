// The optimizer of a training run and its learning-rate schedule: defaults, notes and construction.
#include "radial/apps/cli/run/optimizer_options.h"

#include "radial/core/optim/adam.h"
#include "radial/core/optim/lamb.h"
#include "radial/core/optim/rmsprop.h"
#include "radial/core/optim/sgd.h"
#include "radial/core/util/error.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace radial::train {
namespace {

bool is_annealing(ScheduleKind schedule) {
    return schedule != ScheduleKind::constant && schedule != ScheduleKind::step;
}

Schedule make_annealing(const OptimizerOptions& options) {
    const AnnealingOptions annealing{.lr = options.lr,
                                     .final_lr = options.final_lr * options.lr,
                                     .epochs = static_cast<double>(options.epochs),
                                     .warmup_epochs = options.warmup_epochs,
                                     .warmup_start = options.warmup_start};
    switch (options.schedule) {
        case ScheduleKind::linear:
            return linear_schedule(annealing);
        case ScheduleKind::poly:
            return polynomial_schedule(annealing, options.poly_power);
        case ScheduleKind::exponential:
            RADIAL_CHECK(options.final_lr > 0, "--schedule exponential: give --final-lr above 0, such as 0.01");
            return exponential_schedule(annealing);
        case ScheduleKind::one_cycle:
            RADIAL_CHECK(options.warmup_epochs > 0, "--schedule one-cycle: give --warmup-epochs above 0");
            return one_cycle_schedule(annealing);
        default:
            return cosine_schedule(annealing);
    }
}

/// Whether OptimizerOptions::bias_lr_scale applies to a parameter of a Classifier.
bool is_bias(const NamedTensor& parameter) {
    return parameter.tensor.rank() < 2 && (!parameter.name.starts_with("loss.") || parameter.name.ends_with("bias"));
}

/// The parameters that are not frozen, in groups that share a rate and a decay, without empty groups.
std::vector<ParameterGroup> parameter_groups(const OptimizerOptions& options,
                                             const std::vector<NamedTensor>& parameters) {
    const bool all_decay = options.weight_decay_on == DecayedParameters::all;
    // The first three groups are those of the network and, unless its rate differs, also of the loss; the last three
    // are those of the loss if the rates differ.
    std::vector<ParameterGroup> groups;
    for (const double part : {options.backbone_lr, 1.0}) {
        groups.push_back({.parameters = {}, .lr_scale = part, .weight_decay = options.weight_decay});
        groups.push_back({.parameters = {}, .lr_scale = part});
        groups.push_back({.parameters = {},
                          .lr_scale = part * options.bias_lr_scale,
                          .weight_decay = all_decay ? options.weight_decay / options.bias_lr_scale : 0});
    }
    for (const NamedTensor& parameter : parameters) {
        if (!parameter.tensor.requires_grad()) continue;
        const bool decays = parameter.tensor.rank() >= 2 || all_decay;
        const std::size_t kind = options.bias_lr_scale != 1 && is_bias(parameter) ? 2 : decays ? 0 : 1;
        const bool of_loss = options.backbone_lr != 1 && parameter.name.starts_with("loss.");
        groups[(of_loss ? 3 : 0) + kind].parameters.push_back(parameter.tensor);
    }
    std::erase_if(groups, [](const ParameterGroup& group) { return group.parameters.empty(); });
    return groups;
}

/// Muon for the network's parameters of two or more dimensions, and AdamW for the others.
std::unique_ptr<Optimizer> make_muon(const OptimizerOptions& options, const std::vector<NamedTensor>& parameters) {
    std::vector<NamedTensor> matrices, others;
    for (const NamedTensor& parameter : parameters)
        (parameter.tensor.rank() >= 2 && !parameter.name.starts_with("loss.") ? matrices : others).push_back(parameter);
    RADIAL_CHECK(options.momentum < 1, "--momentum: {} is not below 1, as --optimizer muon needs", options.momentum);
    return std::make_unique<Muon>(parameter_groups(options, matrices), parameter_groups(options, others),
                                  MuonOptions{.lr = options.lr,
                                              .momentum = options.momentum,
                                              .scale = options.muon_scale,
                                              .adam_beta1 = options.beta1,
                                              .adam_beta2 = options.beta2,
                                              .adam_epsilon = options.epsilon});
}

}  // namespace

void fit_optimizer_defaults(OptimizerOptions& options, const std::function<bool(const char*)>& given, bool recipe) {
    const double half = static_cast<double>(options.epochs) / 2;
    if (!given("--warmup-epochs")) options.warmup_epochs = std::min(options.warmup_epochs, half);
    if (!given("--schedule") && !options.milestones.empty()) options.schedule = ScheduleKind::step;
    if (options.schedule == ScheduleKind::one_cycle) {
        if (!given("--warmup-epochs")) options.warmup_epochs = 0.3 * static_cast<double>(options.epochs);
        if (!given("--warmup-start")) options.warmup_start = 1.0 / 25;
        if (!given("--final-lr")) options.final_lr = options.warmup_start / 1e4;
    }
    if (options.optimizer == OptimizerKind::muon && !given("--momentum") && !recipe)
        options.momentum = MuonOptions{}.momentum;
    if (options.optimizer == OptimizerKind::lamb && !given("--epsilon") &&
        options.epsilon == OptimizerOptions{}.epsilon)
        options.epsilon = LambOptions{}.epsilon;
}

std::vector<std::string> optimizer_options_without_effect(const OptimizerOptions& options) {
    std::vector<std::string> notes;
    if (options.warmup_start > 0 && options.warmup_epochs == 0)
        notes.emplace_back("--warmup-start has no effect without a warm-up (--warmup-epochs)");
    if (options.poly_power != OptimizerOptions{}.poly_power && options.schedule != ScheduleKind::poly)
        notes.emplace_back("--poly-power has no effect without --schedule poly");
    using Kind = OptimizerKind;
    if (options.optimizer != Kind::sgd && options.nesterov)
        notes.emplace_back("--nesterov has no effect without --optimizer sgd");
    const OptimizerOptions usual;
    const bool has_momentum =
        options.optimizer == Kind::sgd || options.optimizer == Kind::rmsprop || options.optimizer == Kind::muon;
    if (!has_momentum && options.momentum != usual.momentum)
        notes.emplace_back("--momentum has no effect without --optimizer sgd, rmsprop or muon");
    const bool has_betas = options.optimizer != Kind::sgd && options.optimizer != Kind::rmsprop;
    if (!has_betas && (options.beta1 != usual.beta1 || options.beta2 != usual.beta2))
        notes.emplace_back("--beta1 and --beta2 have no effect without --optimizer adam, adamw, muon or lamb");
    if (options.optimizer != Kind::muon && options.muon_scale != usual.muon_scale)
        notes.emplace_back("--muon-scale has no effect without --optimizer muon");
    if (options.optimizer == Kind::sgd && options.epsilon != usual.epsilon)
        notes.emplace_back("--epsilon has no effect with --optimizer sgd");
    if (options.optimizer != Kind::rmsprop && options.alpha != usual.alpha)
        notes.emplace_back("--alpha has no effect without --optimizer rmsprop");
    return notes;
}

std::string describe_schedule(const OptimizerOptions& options) {
    std::string text = fmt::format("constant {}", options.lr);
    if (is_annealing(options.schedule)) {
        const bool poly = options.schedule == ScheduleKind::poly;
        text = fmt::format("{}{} from {} to {:.4g} over {} epochs", option_value(options.schedule).str(),
                           poly ? fmt::format(" (power {})", options.poly_power) : "", options.lr,
                           options.final_lr * options.lr, options.epochs);
    } else if (options.schedule == ScheduleKind::step) {
        text = fmt::format("from {} in steps at epochs {}", options.lr, fmt::join(options.milestones, ", "));
    }
    if (options.warmup_epochs > 0) text += fmt::format(", after a warm-up of {:.4g}", options.warmup_epochs);
    if (options.warmup_epochs > 0 && options.warmup_start > 0)
        text += fmt::format(" from {:.4g}", options.warmup_start * options.lr);
    if (options.bias_lr_scale != 1)
        text += fmt::format("; {} times as high for biases and norms", options.bias_lr_scale);
    return text;
}

Schedule make_schedule(const OptimizerOptions& options) {
    const auto epochs = static_cast<double>(options.epochs);
    RADIAL_CHECK(options.schedule == ScheduleKind::step || options.milestones.empty(),
                 "--milestones: only the step schedule has them, --schedule is {}",
                 option_value(options.schedule).str());
    RADIAL_CHECK(options.warmup_epochs < epochs, "--warmup-epochs: {} is not below --epochs {}", options.warmup_epochs,
                 options.epochs);
    RADIAL_CHECK(is_annealing(options.schedule) || options.final_lr == 0,
                 "--final-lr: the {} schedule has none; cosine, linear, poly, exponential and one-cycle have",
                 option_value(options.schedule).str());
    if (is_annealing(options.schedule)) return make_annealing(options);
    const std::size_t count = options.milestones.size(), factors = options.lr_factors.size();
    RADIAL_CHECK(factors == 1 || factors == count || count == 0, "--lr-factor: {} factors for {} milestones", factors,
                 count);
    std::vector<Milestone> milestones;
    for (std::size_t i = 0; i < count; ++i)
        milestones.push_back({options.milestones[i], options.lr_factors[factors == 1 ? 0 : i]});
    RADIAL_CHECK(options.schedule != ScheduleKind::step || !milestones.empty(),
                 "--schedule step: give --milestones, such as 4,6");
    Schedule schedule = milestones.empty() ? constant_schedule(options.lr) : step_schedule(options.lr, milestones);
    return options.warmup_epochs > 0 ? with_warmup(std::move(schedule), options.warmup_epochs, options.warmup_start)
                                     : schedule;
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const std::vector<NamedTensor>& parameters) {
    const bool sgd = options.optimizer == OptimizerKind::sgd;
    RADIAL_CHECK(!sgd || !options.nesterov || options.momentum > 0, "--nesterov: needs --momentum above 0");
    std::vector<ParameterGroup> groups = parameter_groups(options, parameters);
    RADIAL_CHECK(!groups.empty(), "--freeze: nothing is left to train, as the loss has no parameters of its own");
    if (sgd)
        return std::make_unique<Sgd>(
            std::move(groups),
            SgdOptions{.lr = options.lr, .momentum = options.momentum, .nesterov = options.nesterov});
    if (options.optimizer == OptimizerKind::rmsprop)
        return std::make_unique<RmsProp>(
            std::move(groups),
            RmsPropOptions{
                .lr = options.lr, .alpha = options.alpha, .epsilon = options.epsilon, .momentum = options.momentum});
    if (options.optimizer == OptimizerKind::muon) return make_muon(options, parameters);
    if (options.optimizer == OptimizerKind::lamb)
        return std::make_unique<Lamb>(
            std::move(groups),
            LambOptions{.lr = options.lr, .beta1 = options.beta1, .beta2 = options.beta2, .epsilon = options.epsilon});
    return std::make_unique<Adam>(std::move(groups),
                                  AdamOptions{.lr = options.lr,
                                              .beta1 = options.beta1,
                                              .beta2 = options.beta2,
                                              .epsilon = options.epsilon,
                                              .decoupled = options.optimizer == OptimizerKind::adamw});
}

}  // namespace radial::train
