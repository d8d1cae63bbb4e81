// The options of a training run; optimizer_options.h has those of the optimizer and the schedule.
#pragma once

#include "radial/apps/cli/option_flags.h"
#include "radial/apps/cli/run/augmentation.h"
#include "radial/apps/cli/run/optimizer_options.h"
#include "radial/apps/train/precision.h"
#include "radial/apps/train/training_step.h"
#include "radial/data/sampling.h"
#include "radial/losses/loss.h"
#include "radial/models/registry.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// The weights of the classes in the loss.
enum class ClassWeighting : std::uint8_t {
    none,     ///< no weights
    balanced  ///< inversely proportional to the sizes of the classes
};
/// The names of the choices.
constexpr auto words_of(ClassWeighting /*value*/) { return std::to_array<std::string_view>({"none", "balanced"}); }

/// The network and the loss.
struct ClassifierOptions {
    std::string model;                 ///< name of the network; empty: the default of the program
    ModelSettings model_settings;      ///< options of the network; those not given keep their defaults
    std::int64_t dim = 32;             ///< feature dimension; 0: the default of the network
    std::string loss = "rbf-softmax";  ///< a loss, or a sum such as "softmax + 0.01 * ring" (make_loss())
    LossSettings loss_settings;        ///< options of the loss; those not given keep their defaults
    ClassWeighting class_weights = ClassWeighting::none;  ///< weights of the classes in the loss
    std::filesystem::path weights;  ///< file whose weights a new run starts from; empty: random weights
    std::string freeze;             ///< the part of the network that freeze_parts() freezes; empty: none
    bool backbone_eval = false;     ///< hold the network in evaluation mode during training

    /// The options by name, except those of the loss and of the network: see fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("model", self.model, "Network; radial-models lists them");
        visit("dim", self.dim, "Feature dimension; 0 uses the network's own", Limits{0, 1e6});
        visit("class-weights", self.class_weights,
              "none, or balanced: weight each sample by the inverse of the size of its class");
        visit("weights", self.weights,
              "Start from the weights in this file: a checkpoint of Radial, or weights of torchvision or timm for "
              "--model. The classifier is new unless the file has one for the same loss and classes");
        visit("freeze", self.freeze,
              "Do not train this part of the network: backbone (all of it), its first N layers and blocks, or those "
              "up to the one with this name, such as layer2");
        visit("backbone-eval", self.backbone_eval,
              "Hold the network in evaluation during training: batch norms use their running statistics and keep them, "
              "and dropout is off");
    }
};

/// The data, the device, the threads and the output folder of a run.
struct RunOptions {
    std::int64_t limit = 0;                             ///< train on this many samples, the first of the set; 0: all
    data::Sampling sampling = data::Sampling::uniform;  ///< how the samples of an epoch are drawn
    double val_split = 0;                      ///< share of the training set to hold out and evaluate on; 0: none
    std::uint64_t seed = 1;                    ///< seed of the initial weights and of the order of the samples
    int threads = 0;                           ///< number of compute threads; 0: all cores
    int workers = 1;                           ///< number of threads that prepare batches; 0: prepared between steps
    std::string device = "cpu";                ///< "cpu", "cuda" or "cuda:N"
    Precision precision = Precision::float32;  ///< precision of the network
    GraphUse graph = GraphUse::automatic;      ///< run steps as a CUDA graph
    std::filesystem::path data;                ///< folder of the data set
    std::filesystem::path out;                 ///< folder of the run
    bool overwrite = false;                    ///< delete the run that is in `out`
    bool find_lr = false;                      ///< search for a learning rate instead of training
    std::int64_t log_steps = 20;               ///< steps between two points in the event files; 0: one point per epoch

    /// The options by name, except the data, the device and the precision, which other commands have too: see fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("limit", self.limit, "Train on the first N images; 0 uses all", not_negative);
        visit(
            "sampling", self.sampling,
            "Images of an epoch: uniform (each image once), or balanced (as many images of each class: those of small "
            "classes several times, each time augmented anew)");
        visit("val-split", self.val_split,
              "Hold out this share of each class of the training set, drawn by --seed, and evaluate on it instead of "
              "the test set; 0 holds out none",
              Limits{0, 0.99});
        visit("seed", self.seed, "Seed of the initial weights and the order of the images");
        visit("threads", self.threads, "Compute threads; 0 uses every core", Limits{0, 4096});
        visit("workers", self.workers, "Threads that prepare batches; 0 prepares them between steps", Limits{0, 256});
        visit("graph", self.graph, "Run steps as a CUDA graph: auto (if possible), on or off");
        visit("out", self.out,
              "Output folder: metrics.jsonl, config.json, checkpoint.safetensors, best.safetensors, report.html, "
              "events/");
        visit("overwrite", self.overwrite, "Delete the run in --out once the new run is ready to start");
        visit("find-lr", self.find_lr,
              "Instead of training, raise the learning rate from step to step, print where the loss falls fastest, and "
              "write the curve to find-lr.html and find-lr.jsonl in --out");
        visit("log-steps", self.log_steps, "Steps between TensorBoard points; 0 writes one per epoch", Limits{0, 1e9});
    }
};

/// Training on several ranks.
struct RankOptions {
    bool sync_batch_norm = false;  ///< compute batch-norm statistics over all ranks
    double bucket_mb = 0;          ///< size of a gradient bucket in MB; 0: chosen by GradientReducer
    double rank_timeout = 300;     ///< seconds to wait for another rank

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("sync-batch-norm", self.sync_batch_norm, "Compute batch-norm statistics over all ranks");
        visit("bucket-mb", self.bucket_mb,
              "Size of a gradient bucket in megabytes; 0 chooses by the size of the network", Limits{0, 4096});
        visit("rank-timeout", self.rank_timeout, "Seconds to wait for another rank before giving up", Limits{1, 1e6});
    }
};

/// Snapshots, and resuming from them.
struct ResumeOptions {
    std::filesystem::path resume;  ///< folder of the run to resume; empty: a new run
    std::int64_t save_steps = 0;   ///< steps between snapshots; 0: only by time and after each epoch
    double save_minutes = 10;      ///< minutes between snapshots; 0: only by steps and after each epoch
    std::int64_t keep_saves = 2;   ///< number of snapshots that are kept, the newest

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("resume", self.resume, "Resume a stopped run in this folder, with its settings");
        visit("save-steps", self.save_steps, "Steps between snapshots for --resume; 0 saves by time only",
              Limits{0, 1e9});
        visit("save-minutes", self.save_minutes,
              "Minutes between snapshots; 0 saves only by steps and after each epoch", not_negative);
        visit("keep-saves", self.keep_saves, "Number of newest snapshots to keep", Limits{1, 1000});
    }
};

/// The options of `train`. The defaults are those of all training programs; a program with other defaults sets them
/// before it adds the options to the command line.
struct TrainOptions : ClassifierOptions, OptimizerOptions, RunOptions, RankOptions, ResumeOptions {
    std::string recipe;                ///< name of a recipe, whose values the other members hold; empty: none
    AugmentationOptions augmentation;  ///< augmentation of training images
    PictureOptions pictures;           ///< for data sets of image files
};

/// A note for each option that has no effect, or not the intended one, because another one is off: "--warmup-start has
/// no effect without a warm-up".
std::vector<std::string> options_without_effect(const TrainOptions& options);

}  // namespace radial::train
