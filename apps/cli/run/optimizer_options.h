// The optimizer of a training run and its learning-rate schedule: their options, defaults and construction.
#pragma once

#include "radial/apps/cli/option_flags.h"
#include "radial/core/optim/muon.h"
#include "radial/core/optim/optimizer.h"
#include "radial/core/optim/schedule.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// The shape of the learning rate over a run.
enum class ScheduleKind : std::uint8_t {
    constant,     ///< the peak rate
    cosine,       ///< half a cosine from the peak rate to the final rate
    linear,       ///< a straight line from the peak rate to the final rate
    step,         ///< multiplied by a factor at each milestone
    poly,         ///< a power of the remaining share of the run, from the peak rate to the final rate
    exponential,  ///< multiplied by the same factor in every epoch, from the peak rate to the final rate
    one_cycle     ///< half a cosine up to the peak rate, and half a cosine down to the final rate
};
/// The names of the schedules.
constexpr auto words_of(ScheduleKind /*value*/) {
    return std::to_array<std::string_view>(
        {"constant", "cosine", "linear", "step", "poly", "exponential", "one-cycle"});
}
/// The optimizer of a run.
enum class OptimizerKind : std::uint8_t {
    sgd,      ///< Sgd
    adam,     ///< Adam
    adamw,    ///< Adam with decoupled weight decay
    rmsprop,  ///< RmsProp
    muon,     ///< Muon for the weights of the network, AdamW for its other parameters and those of the loss
    lamb      ///< Lamb
};
/// The names of the optimizers.
constexpr auto words_of(OptimizerKind /*value*/) {
    return std::to_array<std::string_view>({"sgd", "adam", "adamw", "rmsprop", "muon", "lamb"});
}
/// The parameters that weight decay applies to.
enum class DecayedParameters : std::uint8_t {
    all,     ///< all parameters
    weights  ///< those of rank 2 or more
};
/// The names of the choices.
constexpr auto words_of(DecayedParameters /*value*/) { return std::to_array<std::string_view>({"all", "weights"}); }

/// Epochs, batches, the optimizer and its schedule.
struct OptimizerOptions {
    std::int64_t epochs = 8;    ///< number of passes over the training set
    std::int64_t patience = 0;  ///< epochs without an improvement after which training stops; 0: never
    std::int64_t batch = 128;   ///< number of images per step, over all ranks
    bool drop_last = false;     ///< drop the last batch of an epoch if it is not full
    OptimizerKind optimizer = OptimizerKind::sgd;  ///< the optimizer
    double lr = 0.05;                              ///< peak learning rate
    double backbone_lr = 1;  ///< factor of the learning rate of the network's parameters, not of those of the loss
    /// Factor of the learning rate of the network's parameters of rank 1 and of the loss's bias, whose weight decay is
    /// divided by this factor. It does not apply to other parameters of the loss, such as learned scales, which do not
    /// shift a feature.
    double bias_lr_scale = 1;
    double beta1 = 0.9;     ///< decay of the average of gradients of Adam and LAMB, and of AdamW in Muon
    double beta2 = 0.999;   ///< decay of their average of squared gradients
    double epsilon = 1e-8;  ///< added to the denominator of a step; `train` uses 1e-6 for LAMB unless it is given
    double alpha = 0.99;    ///< decay of RMSprop's average of squared gradients
    double momentum = 0.9;  ///< momentum of SGD, RMSprop and Muon
    bool nesterov = false;  ///< use Nesterov momentum with SGD; Muon always does
    MuonScale muon_scale = MuonScale::match_adamw;  ///< factor of Muon's updates
    double weight_decay = 0.0;                      ///< L2 penalty, or decoupled decay for AdamW, Muon and LAMB
    DecayedParameters weight_decay_on = DecayedParameters::all;  ///< parameters that decay
    double clip_norm = 1.0;                                      ///< largest norm of the gradient; 0: no clipping
    std::int64_t accumulate = 1;                   ///< number of parts of a batch that are computed one after another
    double ema = 0.0;                              ///< decay of the moving average of the weights; 0: no average
    std::int64_t lookahead = 0;                    ///< steps from one average of Lookahead to the next; 0: off
    ScheduleKind schedule = ScheduleKind::cosine;  ///< learning-rate schedule
    double warmup_epochs = 0.0;                    ///< length of the linear warm-up in epochs
    double warmup_start = 0.0;                     ///< first rate of the warm-up, as a fraction of the peak rate
    double final_lr = 0.0;                         ///< last rate, as a fraction of the peak rate
    double poly_power = 0.9;                       ///< exponent of the poly schedule
    std::vector<double> milestones;                ///< of the step schedule, in epochs
    std::vector<double> lr_factors = {0.1};        ///< factor at each milestone: one for all, or one per milestone
    bool allow_dead_kernel = false;                ///< continue when the kernel is dead (DeadKernelWatch)

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        constexpr Limits count{1, 1e6};
        visit("epochs", self.epochs, "Number of passes over the training set", count);
        visit("patience", self.patience,
              "Stop after N epochs without a better test accuracy (or test loss, if targets are not classes); "
              "0 never stops",
              Limits{0, 1e6});
        visit("batch", self.batch, "Images per step, over all ranks", count);
        visit("drop-last", self.drop_last, "Drop the last batch of an epoch if it is not full");
        visit(
            "optimizer", self.optimizer,
            "Optimizer: sgd, adam, adamw (Adam with decoupled weight decay), rmsprop, lamb, or muon (which updates the "
            "network's weights of two or more dimensions; adamw updates all other parameters)");
        visit("lr", self.lr, "Peak learning rate", not_negative);
        visit("backbone-lr", self.backbone_lr,
              "Rate of the network's parameters as a fraction of --lr; the classifier keeps --lr", Limits{0, 1e6});
        visit("bias-lr-scale", self.bias_lr_scale,
              "Factor of the rate of the network's biases, slopes and batch norms (parameters with one dimension) and "
              "of the loss's bias; their weight decay is divided by it",
              Limits{1e-6, 1e6});
        visit("beta1", self.beta1, "Decay of the average of gradients of adam, adamw, lamb and muon",
              Limits{0, 0.999999999});
        visit("beta2", self.beta2, "Decay of the average of squared gradients of adam, adamw, lamb and muon",
              Limits{0, 0.999999999});
        visit("alpha", self.alpha, "Decay of RMSprop's average of squared gradients", Limits{0, 0.999999999});
        visit("epsilon", self.epsilon, "Added to the denominator of the optimizer's steps; by default 1e-6 for lamb",
              not_negative);
        visit("momentum", self.momentum, "Momentum of SGD, RMSprop and Muon (whose default is 0.95)", Limits{0, 1});
        visit("nesterov", self.nesterov, "Use Nesterov momentum with SGD; Muon always does");
        visit("muon-scale", self.muon_scale,
              "Size of Muon's updates: match-adamw (--lr as for adamw) or original (--lr about 0.02; --lr then also "
              "holds for the parameters that adamw updates)");
        visit("weight-decay", self.weight_decay,
              "L2 penalty, added to the gradient (lamb: to the update); adamw and muon decay the weights instead",
              not_negative);
        visit("weight-decay-on", self.weight_decay_on,
              "Parameters that decay: all, or weights (two or more dimensions: no biases, slopes or batch norms)");
        visit("clip-norm", self.clip_norm, "Clip the gradient to this norm; 0 does not clip", not_negative);
        visit("accumulate", self.accumulate,
              "Split each batch into this many parts to save memory; the gradient is that of the whole batch", count);
        visit("ema", self.ema,
              "Decay of the moving average of the weights, which is evaluated and saved; 0 keeps no average",
              Limits{0, 0.999999999});
        visit("lookahead", self.lookahead,
              "Lookahead: every N steps, average the weights and continue from the average; 0 turns it off",
              Limits{0, 1e6});
        visit("schedule", self.schedule,
              "Learning-rate schedule: constant, cosine, linear, step, poly, exponential or one-cycle");
        visit("warmup-epochs", self.warmup_epochs, "Epochs of linear warm-up (the default is at most half of the run)",
              not_negative);
        visit("warmup-start", self.warmup_start, "First rate of the warm-up, as a fraction of --lr", Limits{0, 1});
        visit("final-lr", self.final_lr, "Last rate of all schedules but constant and step, as a fraction of --lr",
              Limits{0, 1});
        visit("poly-power", self.poly_power, "Exponent of the poly schedule; 1 is a straight line", Limits{1e-3, 1e3});
        visit("milestones", self.milestones, "Epochs at which the step schedule multiplies the rate, such as 4,6",
              not_negative);
        visit("lr-factor", self.lr_factors, "Factor at each milestone: one for all, or one per milestone",
              not_negative);
        visit("allow-dead-kernel", self.allow_dead_kernel, "Continue when the mean kernel is below 1e-6");
    }
};

/// Adjusts the options that were not given to those that were: a warm-up lasts at most half of the run, milestones
/// select the step schedule, one cycle rises and falls as PyTorch's OneCycleLR does by default, Muon has its own
/// momentum unless a recipe was chosen (`recipe`), and LAMB has its own epsilon. `given` returns whether a flag, such
/// as "--momentum", was given.
void fit_optimizer_defaults(OptimizerOptions& options, const std::function<bool(const char*)>& given, bool recipe);

/// A note for each of these options that has no effect because another option is off, such as "--warmup-start has no
/// effect without a warm-up". options_without_effect() returns the notes on all options.
std::vector<std::string> optimizer_options_without_effect(const OptimizerOptions& options);

/// Text for a log: "cosine from 0.05 to 0 over 8 epochs, after a warm-up of 0.5".
std::string describe_schedule(const OptimizerOptions& options);

/// The learning rate over the run. Throws Error for contradictory options: milestones without the step schedule or vice
/// versa, a number of factors that does not match the milestones, a warm-up that is not shorter than the run, a final
/// rate for the constant or step schedule, final rate 0 for the exponential one, or no warm-up for one cycle.
Schedule make_schedule(const OptimizerOptions& options);

/// The optimizer for those of `parameters`, the named parameters of a Classifier, that are not frozen. Throws Error for
/// SGD with Nesterov momentum and momentum 0, for Muon with momentum 1, and when all parameters are frozen.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const std::vector<NamedTensor>& parameters);

}  // namespace radial::train
