// The flags that fill TrainOptions and its parts.
#include "radial/apps/cli/train_flags.h"

#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/precision.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace radial::train {
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
    add("--epochs", options.epochs, "Number of passes over the training set")->check(within(1, 1000000));
    add("--patience", options.patience,
        "Stop when N epochs have brought no better test accuracy (or test loss, where targets are not classes); 0 "
        "never stops")
        ->check(within(0, 1000000));
    add("--batch", options.batch, "Images per step, over all ranks")->check(within(1, 1000000));
    app.add_flag("--drop-last", options.drop_last, "Drop the last batch of an epoch if it is not full")
        ->group("Optimizer");
    add("--lr", options.lr, "Peak learning rate")->check(not_negative());
    add("--momentum", options.momentum, "Momentum of SGD")->check(within(0.0, 1.0));
    app.add_flag("--nesterov", options.nesterov, "Use Nesterov momentum")->group("Optimizer");
    add("--weight-decay", options.weight_decay, "L2 penalty, added to the gradient")->check(not_negative());
    add("--weight-decay-on", options.weight_decay_on,
        "Parameters that decay: all, or weights (two or more dimensions: no biases, slopes or batch norms)")
        ->check(CLI::IsMember({"all", "weights"}));
    add("--clip-norm", options.clip_norm, "Clip the gradient to this norm; 0 does not clip")->check(not_negative());
    add("--accumulate", options.accumulate,
        "Split each batch into this many parts to save memory; the gradient is that of the whole batch")
        ->check(within(1, 1000000));
    add("--ema", options.ema,
        "Decay of the moving average of the weights, which is evaluated and saved; 0 keeps no average")
        ->check(within(0.0, 0.999999999));
    add("--schedule", options.schedule, "Learning-rate schedule: constant, cosine or step")
        ->check(CLI::IsMember({"constant", "cosine", "step"}));
    add("--warmup-epochs", options.warmup_epochs,
        "Epochs of linear warm-up from 0 (the default is at most half of the run)")
        ->check(not_negative());
    add("--milestones", options.milestones, "Epochs at which the step schedule multiplies the rate, such as 4,6")
        ->delimiter(',')
        ->check(not_negative());
    add("--lr-factor", options.lr_factors, "Factor at each milestone: one for all, or one per milestone")
        ->delimiter(',')
        ->check(not_negative());
    app.add_flag("--allow-dead-kernel", options.allow_dead_kernel, "Continue when the mean kernel is below 1e-6")
        ->group("Optimizer");
}

void add_run_flags(CLI::App& app, TrainOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Run");
    };
    add("--limit", options.limit, "Train on the first N images; 0 uses all")->check(not_negative());
    add("--seed", options.seed, "Seed of the initial weights and the order of the images");
    add("--threads", options.threads, "Compute threads; 0 uses every core")->check(within(0, 4096));
    add("--workers", options.workers, "Threads that prepare batches; 0 prepares them between steps")
        ->check(within(0, 256));
    add_device_option(app, options.device)->group("Run");
    add_precision_option(app, options.precision)->group("Run");
    add("--graph", options.graph, "Run steps as a CUDA graph: auto (if possible), on or off")
        ->check(CLI::IsMember({"auto", "on", "off"}));
    add("--out", options.out,
        "Output folder: metrics.jsonl, config.json, checkpoint.safetensors, best.safetensors, report.html, events/")
        ->type_name("DIR");
    app.add_flag("--overwrite", options.overwrite, "Delete the run in --out once the new run is ready to start")
        ->configurable(false)
        ->group("Run");
    add("--log-steps", options.log_steps, "Steps between TensorBoard points; 0 writes one per epoch")
        ->check(within(0, 1000000000));
}

void add_rank_flags(CLI::App& app, TrainOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Several ranks (mpirun -n N)");
    };
    app.add_flag("--sync-batch-norm", options.sync_batch_norm, "Compute batch-norm statistics over all ranks")
        ->group("Several ranks (mpirun -n N)");
    add("--bucket-mb", options.bucket_mb,
        "Size of a gradient bucket in megabytes; 0 chooses by the size of the network")
        ->check(within(0.0, 4096.0));
    add("--rank-timeout", options.rank_timeout, "Seconds to wait for another rank before giving up")
        ->check(within(1.0, 1e6));
}

void add_resume_flags(CLI::App& app, TrainOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Interruption");
    };
    app.add_option("--resume", options.resume, "Resume a stopped run in this folder, with its settings")
        ->type_name("DIR")
        ->configurable(false)
        ->excludes("--overwrite")
        ->group("Interruption");
    add("--save-steps", options.save_steps, "Steps between snapshots for --resume; 0 saves by time only")
        ->check(within(0, 1000000000));
    add("--save-minutes", options.save_minutes, "Minutes between snapshots; 0 saves only by steps and after each epoch")
        ->check(not_negative());
    add("--keep-saves", options.keep_saves, "Number of newest snapshots to keep")->check(within(1, 1000));
}

}  // namespace

void add_train_options(CLI::App& app, TrainOptions& options) {
    add_model_options(app, options.model_settings);
    add_loss_options(app, options.loss, options.loss_settings);
    app.add_option("--model", options.model, "Network; radial-models lists them")
        ->capture_default_str()
        ->group("Model");
    app.add_option("--dim", options.dim, "Feature dimension; 0 uses the network's own")
        ->capture_default_str()
        ->check(within(0, 1000000))
        ->group("Loss");
    app.add_option("--class-weights", options.class_weights,
                   "none, or balanced: weight each sample by the inverse of the size of its class")
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
    return app.add_option("--device", device, "cpu, cuda or cuda:N; the default comes from RADIAL_DEVICE if set")
        ->capture_default_str();
}

CLI::Option* add_precision_option(CLI::App& app, std::string& precision) {
    return app
        .add_option("--precision", precision,
                    "float32, tf32 (inputs of products rounded to 10 bits) or bf16 (bfloat16 activations)")
        ->capture_default_str()
        ->check(CLI::IsMember(precision_names()));
}

void add_data_option(CLI::App& app, std::filesystem::path& data, const std::string& set) {
    const char* const root = std::getenv("RADIAL_DATA");
    const bool has_default = !set.empty();
    if (has_default && root != nullptr && *root != '\0') data = std::filesystem::path(root) / set;
    const std::string text = has_default ? "Folder of the data set (default: $RADIAL_DATA/" + set + ")"
                                         : "Folder of the data set, where it is in one";
    const auto option = app.add_option("--data", data, text)->type_name("DIR");
    if (!data.empty()) option->default_str(data.string());
}

void fit_defaults(const CLI::App& app, TrainOptions& options) {
    const auto given = [&app](const char* option) { return app.get_option(option)->count() > 0; };
    const double half = static_cast<double>(options.epochs) / 2;
    if (!given("--warmup-epochs")) options.warmup_epochs = std::min(options.warmup_epochs, half);
    if (!given("--schedule") && !options.milestones.empty()) options.schedule = "step";
}

void add_augmentation_options(CLI::App& app, AugmentationOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Augmentation");
    };
    add("--random-area", options.random_area, "Random resized crop: smallest share of the image's area; 0 turns it off")
        ->check(within(0.0, 1.0));
    add("--crop-padding", options.crop_padding, "Random crop: pixels of zero padding on each side; 0 turns it off")
        ->check(within(0, 1024));
    add("--flip", options.flip, "Probability of a horizontal flip")->check(within(0.0, 1.0));
    add("--color-jitter", options.color_jitter,
        "Largest change of brightness, contrast, saturation and hue, such as 0.4,0.4,0.4,0.1 (default: none)")
        ->delimiter(',')
        ->expected(4);
    add("--cutout", options.cutout, "Cutout: side of the square in pixels; 0 turns it off")->check(within(0, 1024));
    add("--erasing", options.erasing, "Random erasing: probability that a rectangle is replaced by noise")
        ->check(within(0.0, 1.0));
    const auto alpha = within(0.0, 1000.0);
    add("--mixup", options.mixup, "Mixup alpha; 0 turns it off")->check(alpha);
    add("--cutmix", options.cutmix, "CutMix alpha; 0 turns it off")->check(alpha);
    app.add_flag("--no-augment", options.off, "Turn off all augmentation")->group("Augmentation");
}

void add_picture_options(CLI::App& app, PictureOptions& options, bool train) {
    const auto size = [&](const char* flag, std::int64_t& value, const char* text) {
        app.add_option(flag, value, text)->capture_default_str()->check(within(0, 100000))->group("Pictures");
    };
    size("--image-size", options.image_size,
         train ? "Side of the square input image; 0 uses the network's own"
               : "Side of the square input image; 0 uses the size of training");
    size("--resize", options.resize,
         "Evaluation: length of the shorter side before the center crop; 0 uses 8/7 of --image-size");
    if (train) {
        app.add_flag("--exact-decoding", options.exact_decoding,
                     "Decode training JPEGs at full size, even where the crop is reduced by half or more")
            ->group("Pictures");
    }
    app.add_flag(
           "--skip-corrupt", options.skip_corrupt,
           train ? "Replace training files that cannot be read by the next one, skip such test files, and count both"
                 : "Skip files that cannot be read, and count them")
        ->group("Pictures");
}

}  // namespace radial::train
