// The flags of the training programs, and the schedule and optimizer they describe.
#include "radial/apps/common/train_options.h"

#include "radial/apps/common/loss_options.h"
#include "radial/apps/common/model_options.h"
#include "radial/apps/common/precision.h"
#include "radial/core/util/error.h"

#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace radial::apps {
namespace {

/// Accepts finite numbers of at least 0. CLI11's own check prints the largest double in full.
CLI::Validator not_negative() {
    const auto check = [](const std::string& text) {
        double value = -1;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = error == std::errc{} && end == text.data() + text.size();
        return whole && value >= 0 && std::isfinite(value) ? ""
                                                           : fmt::format("'{}' is not a number of at least 0", text);
    };
    return {check, ""};
}

void add_optimizer_flags(CLI::App& app, TrainOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Optimizer");
    };
    add("--epochs", options.epochs, "Times to walk the training set")->check(CLI::Range(1, 1000000));
    add("--batch", options.batch, "Images a step, of all ranks together")->check(CLI::Range(1, 1000000));
    app.add_flag("--drop-last", options.drop_last, "Leave out an epoch's last batch where it is not full")
        ->group("Optimizer");
    add("--lr", options.lr, "Peak learning rate")->check(not_negative());
    add("--momentum", options.momentum, "Momentum of SGD")->check(CLI::Range(0.0, 1.0));
    app.add_flag("--nesterov", options.nesterov, "Nesterov's momentum")->group("Optimizer");
    add("--weight-decay", options.weight_decay, "L2 penalty, added to the gradient")->check(not_negative());
    add("--weight-decay-on", options.weight_decay_on,
        "all parameters, or weights: those of two or more dimensions, so no biases, slopes and batch norms")
        ->check(CLI::IsMember({"all", "weights"}));
    add("--clip-norm", options.clip_norm, "Largest norm of the whole gradient; 0 leaves it alone")
        ->check(not_negative());
    add("--accumulate", options.accumulate,
        "Parts of a batch that go through the network one after another, for less memory, to the whole batch's "
        "gradient")
        ->check(CLI::Range(1, 1000000));
    add("--ema", options.ema, "Decay of a moving average of the weights, which is evaluated and kept; 0 averages none")
        ->check(CLI::Range(0.0, 0.999999999));
    add("--schedule", options.schedule, "How the learning rate changes: constant, cosine or step")
        ->check(CLI::IsMember({"constant", "cosine", "step"}));
    add("--warmup-epochs", options.warmup_epochs,
        "Epochs over which the rate rises from 0 (the default: half of the run at most)")
        ->check(not_negative());
    add("--milestones", options.milestones, "Epochs at which the step schedule drops, as 4,6")
        ->delimiter(',')
        ->check(not_negative());
    add("--lr-factor", options.lr_factors, "What a milestone multiplies the rate by: one for all, or one each")
        ->delimiter(',')
        ->check(not_negative());
    app.add_flag("--allow-dead-kernel", options.allow_dead_kernel, "Go on when the mean kernel is below 1e-6")
        ->group("Optimizer");
}

void add_run_flags(CLI::App& app, TrainOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Run");
    };
    add("--limit", options.limit, "Train on the first so many images; 0 takes all")->check(not_negative());
    add("--seed", options.seed, "Decides first weights and the order of images");
    add("--threads", options.threads, "Threads that compute; 0 takes every core")->check(CLI::Range(0, 4096));
    add("--workers", options.workers, "Threads that prepare batches; 0 prepares them between steps")
        ->check(CLI::Range(0, 256));
    add_device_option(app, options.device)->group("Run");
    add_precision_option(app, options.precision)->group("Run");
    add("--graph", options.graph, "Run a CUDA device's steps as a graph: auto (where possible), on or off")
        ->check(CLI::IsMember({"auto", "on", "off"}));
    add("--out", options.out,
        "Folder for metrics.jsonl, config.json, checkpoint.safetensors, best.safetensors, report.html and events/")
        ->type_name("DIR");
    app.add_flag("--overwrite", options.overwrite,
                 "Delete the run that --out holds, as soon as the new one is ready to start")
        ->configurable(false)
        ->group("Run");
    add("--log-steps", options.log_steps,
        "Steps between two points of TensorBoard's curves; 0 writes them after epochs alone")
        ->check(CLI::Range(0, 1000000000));
}

void add_rank_flags(CLI::App& app, TrainOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Several ranks (mpirun -n N)");
    };
    app.add_flag("--sync-batch-norm", options.sync_batch_norm,
                 "Batch norms take the statistics of all ranks' images, not of their own rank's")
        ->group("Several ranks (mpirun -n N)");
    add("--bucket-mb", options.bucket_mb, "Gradients travel in buckets of about so many megabytes; 0: by their size")
        ->check(CLI::Range(0.0, 4096.0));
    add("--rank-timeout", options.rank_timeout, "Seconds after which a rank gives up waiting for the others")
        ->check(CLI::Range(1.0, 1e6));
}

void add_resume_flags(CLI::App& app, TrainOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Interruption");
    };
    app.add_option("--resume", options.resume,
                   "Folder of a run that was stopped, to go on with as if it had not been; its settings are read there")
        ->type_name("DIR")
        ->configurable(false)
        ->excludes("--overwrite")
        ->group("Interruption");
    add("--save-steps", options.save_steps, "Steps between two snapshots for --resume; 0 saves by time alone")
        ->check(CLI::Range(0, 1000000000));
    add("--save-minutes", options.save_minutes, "Minutes between two; 0 saves by steps, and after each epoch, alone")
        ->check(not_negative());
    add("--keep-saves", options.keep_saves, "Snapshots kept, the newest ones")->check(CLI::Range(1, 1000));
}

}  // namespace

void add_train_options(CLI::App& app, TrainOptions& options) {
    add_model_options(app, options.model_settings);
    add_loss_options(app, options.loss, options.loss_settings);
    app.add_option("--model", options.model, "Network, by its name in the registry")
        ->capture_default_str()
        ->group("Model");
    app.add_option("--dim", options.dim, "Feature dimension; 0 is the network's own")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000000))
        ->group("Loss");
    app.add_option("--class-weights", options.class_weights,
                   "none, or balanced: a sample counts in inverse proportion to its class's number of images, in every "
                   "term that is a mean over samples")
        ->capture_default_str()
        ->check(CLI::IsMember({"none", "balanced"}))
        ->group("Loss");
    add_optimizer_flags(app, options);
    add_augmentation_options(app, options.augmentation);
    add_run_flags(app, options);
    add_rank_flags(app, options);
    add_resume_flags(app, options);
}

CLI::Option* add_device_option(CLI::App& app, std::string& device) {
    const char* const chosen = std::getenv("RADIAL_DEVICE");
    if (chosen != nullptr && *chosen != '\0') device = chosen;
    return app.add_option("--device", device, "cpu, cuda or cuda:N; the variable RADIAL_DEVICE gives the default")
        ->capture_default_str();
}

CLI::Option* add_precision_option(CLI::App& app, std::string& precision) {
    return app
        .add_option("--precision", precision,
                    "float32, tf32 (products round their inputs) or bf16 (activations in bfloat16)")
        ->capture_default_str()
        ->check(CLI::IsMember(precision_names()));
}

void add_data_option(CLI::App& app, std::filesystem::path& data, const std::string& set) {
    const char* const root = std::getenv("RADIAL_DATA");
    if (root != nullptr && *root != '\0') data = std::filesystem::path(root) / set;
    const auto option =
        app.add_option("--data", data, "Folder of the data set (default: $RADIAL_DATA/" + set + ")")->type_name("DIR");
    if (!data.empty()) option->default_str(data.string());
}

void fit_defaults(const CLI::App& app, TrainOptions& options) {
    const auto given = [&app](const char* option) { return app.get_option(option)->count() > 0; };
    const double half = static_cast<double>(options.epochs) / 2;
    if (!given("--warmup-epochs")) options.warmup_epochs = std::min(options.warmup_epochs, half);
    if (!given("--schedule") && !options.milestones.empty()) options.schedule = "step";
}

std::string describe_schedule(const TrainOptions& options) {
    std::string text =
        options.schedule == "cosine" ? fmt::format("cosine from {} to 0 over {} epochs", options.lr, options.epochs)
        : options.schedule == "step"
            ? fmt::format("from {} in steps at epochs {}", options.lr, fmt::join(options.milestones, ", "))
            : fmt::format("constant {}", options.lr);
    if (options.warmup_epochs > 0) text += fmt::format(", after a warm-up of {}", options.warmup_epochs);
    return text;
}

Schedule make_schedule(const TrainOptions& options) {
    const auto epochs = static_cast<double>(options.epochs);
    RADIAL_CHECK(options.schedule == "step" || options.milestones.empty(),
                 "--milestones: only the step schedule has them, --schedule is {}", options.schedule);
    RADIAL_CHECK(options.warmup_epochs < epochs, "--warmup-epochs: {} is not below --epochs {}", options.warmup_epochs,
                 options.epochs);
    if (options.schedule == "cosine")
        return cosine_schedule({.lr = options.lr, .epochs = epochs, .warmup_epochs = options.warmup_epochs});
    const std::size_t count = options.milestones.size(), factors = options.lr_factors.size();
    RADIAL_CHECK(factors == 1 || factors == count || count == 0, "--lr-factor: {} factors for {} milestones", factors,
                 count);
    std::vector<Milestone> milestones;
    for (std::size_t i = 0; i < count; ++i)
        milestones.push_back({options.milestones[i], options.lr_factors[factors == 1 ? 0 : i]});
    RADIAL_CHECK(options.schedule != "step" || !milestones.empty(), "--schedule step: give its --milestones, as 4,6");
    Schedule schedule = milestones.empty() ? constant_schedule(options.lr) : step_schedule(options.lr, milestones);
    return options.warmup_epochs > 0 ? with_warmup(std::move(schedule), options.warmup_epochs) : schedule;
}

std::unique_ptr<Optimizer> make_optimizer(const TrainOptions& options, const std::vector<Tensor>& parameters) {
    RADIAL_CHECK(!options.nesterov || options.momentum > 0, "--nesterov: needs --momentum above 0");
    ParameterGroup decayed{.parameters = {}, .weight_decay = options.weight_decay}, others;
    for (const Tensor& parameter : parameters) {
        const bool weight = parameter.rank() >= 2;
        (weight || options.weight_decay_on == "all" ? decayed : others).parameters.push_back(parameter);
    }
    std::vector<ParameterGroup> groups;
    for (ParameterGroup& group : std::vector{decayed, others})
        if (!group.parameters.empty()) groups.push_back(std::move(group));
    return std::make_unique<Sgd>(
        std::move(groups), SgdOptions{.lr = options.lr, .momentum = options.momentum, .nesterov = options.nesterov});
}

}  // namespace radial::apps
