// The flags that fill TrainOptions and its parts.
#include "radial/apps/cli/train_flags.h"

#include "radial/apps/cli/loss_options.h"
#include "radial/apps/cli/model_options.h"
#include "radial/apps/train/precision.h"

#include <fmt/format.h>
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

void add_augmentation_options(CLI::App& app, AugmentationOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Augmentation");
    };
    add("--random-area", options.random_area,
        "Least part of a training image's area of the random region that is cut out and resized to the size of the "
        "image, or to --image-size; 0 cuts out none")
        ->check(CLI::Range(0.0, 1.0));
    add("--crop-padding", options.crop_padding,
        "Pixels of zeros around a training image, out of which a random window of its size is cut")
        ->check(CLI::Range(0, 1024));
    add("--flip", options.flip, "Probability that it is mirrored")->check(CLI::Range(0.0, 1.0));
    add("--color-jitter", options.color_jitter,
        "Most that brightness, contrast, saturation and hue change, as 0.4,0.4,0.4,0.1 (default: not at all)")
        ->delimiter(',')
        ->expected(4);
    add("--cutout", options.cutout, "Side of a square hole at a random place, in pixels; 0 makes none")
        ->check(CLI::Range(0, 1024));
    add("--erasing", options.erasing, "Probability that a random rectangle of it becomes noise")
        ->check(CLI::Range(0.0, 1.0));
    const auto alpha = CLI::Range(0.0, 1000.0);
    add("--mixup", options.mixup, "Alpha of mixup, which blends the images of a batch in pairs; 0 does not")
        ->check(alpha);
    add("--cutmix", options.cutmix, "Alpha of CutMix, which pastes rectangles of other images; 0 does not")
        ->check(alpha);
    app.add_flag("--no-augment", options.off, "Train on the images as they are, whatever the flags above say")
        ->group("Augmentation");
}

void add_picture_options(CLI::App& app, PictureOptions& options, bool train) {
    const auto size = [&](const char* flag, std::int64_t& value, const char* text) {
        app.add_option(flag, value, text)->capture_default_str()->check(CLI::Range(0, 100000))->group("Pictures");
    };
    size("--image-size", options.image_size,
         train ? "Side of the square images that the network sees; 0 takes the network's own"
               : "Side of the square images that the network sees; 0 takes the size it was trained with");
    size("--resize", options.resize,
         "Length that the shorter side is given in evaluation, before the middle is cut out; 0 takes 8/7 of the size");
    if (train) {
        app.add_flag("--exact-decoding", options.exact_decoding,
                     "Decode every training JPEG at its full size, also where the region that is cut out gets smaller "
                     "by half or more")
            ->group("Pictures");
    }
    app.add_flag("--skip-corrupt", options.skip_corrupt,
                 train ? "Count files that cannot be read and put the next one in their place, in evaluation none"
                       : "Count files that cannot be read, and do without them")
        ->group("Pictures");
}

}  // namespace radial::apps
