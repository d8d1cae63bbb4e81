// The options of a training run, and the schedule and optimizer that they describe.
#pragma once

#include "radial/apps/cli/run/augmentation.h"
#include "radial/apps/cli/run/pictures.h"
#include "radial/core/optim/optim.h"
#include "radial/losses/loss.h"
#include "radial/models/registry.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// The options of `train`. The defaults are those of all training programs; a program with other defaults sets them
/// before it adds the options to the command line.
struct TrainOptions {
    std::string recipe;                  ///< name of a recipe, whose values the other members hold; empty: none
    ModelSettings model_settings;        ///< options of the network; those not given keep their defaults
    std::string loss = "rbf-softmax";    ///< a loss, or a sum such as "softmax + 0.01 * ring" (make_loss())
    LossSettings loss_settings;          ///< options of the loss; those not given keep their defaults
    std::string class_weights = "none";  ///< "none", or "balanced": inverse to the sizes of the classes
    std::string model;                   ///< name of the network; empty: the default of the program
    std::int64_t dim = 32;               ///< length of the feature; 0: the default of the network

    std::int64_t epochs = 8;                 ///< number of passes over the training set
    std::int64_t patience = 0;               ///< epochs without an improvement after which training stops; 0: never
    std::int64_t batch = 128;                ///< number of images per step, over all ranks
    bool drop_last = false;                  ///< drop the last batch of an epoch if it is not full
    double lr = 0.05;                        ///< peak learning rate
    double momentum = 0.9;                   ///< momentum of SGD
    bool nesterov = false;                   ///< use Nesterov momentum
    double weight_decay = 0.0;               ///< factor of the L2 penalty, which is added to the gradient
    std::string weight_decay_on = "all";     ///< parameters that decay: "all", or "weights" (rank 2 or more)
    double clip_norm = 1.0;                  ///< largest norm of the gradient; 0: no clipping
    std::int64_t accumulate = 1;             ///< number of parts of a batch that are computed one after another
    double ema = 0.0;                        ///< decay of the moving average of the weights; 0: no average
    std::string schedule = "cosine";         ///< learning-rate schedule: "constant", "cosine" or "step"
    double warmup_epochs = 0.0;              ///< length of the linear warm-up in epochs
    std::vector<double> milestones;          ///< of the step schedule, in epochs
    std::vector<double> lr_factors = {0.1};  ///< factor at each milestone: one for all, or one per milestone
    bool allow_dead_kernel = false;          ///< continue when the kernel is dead (DeadKernelWatch)
    AugmentationOptions augmentation;        ///< augmentation of training images
    PictureOptions pictures;                 ///< for data sets of image files

    std::uint64_t seed = 1;             ///< seed of the initial weights and of the order of the samples
    int threads = 0;                    ///< number of compute threads; 0: all cores
    int workers = 1;                    ///< number of threads that prepare batches; 0: between steps
    std::string device = "cpu";         ///< "cpu", "cuda" or "cuda:N"
    std::string precision = "float32";  ///< name of a Precision
    std::string graph = "auto";         ///< run steps as a CUDA graph: "auto" (if possible), "on" or "off"
    std::int64_t limit = 0;             ///< train on this many samples, the first of the set; 0: all
    std::int64_t log_steps = 20;        ///< steps between two points in the event files; 0: one point per epoch
    std::filesystem::path data;         ///< folder of the data set
    std::filesystem::path out;          ///< folder of the run
    bool overwrite = false;             ///< delete the run that is in `out`

    bool sync_batch_norm = false;  ///< compute batch-norm statistics over all ranks
    double bucket_mb = 0;          ///< size of a gradient bucket in MB; 0: chosen by GradientReducer
    double rank_timeout = 300;     ///< seconds to wait for another rank

    std::filesystem::path resume;  ///< folder of the run to resume; empty: a new run
    std::int64_t save_steps = 0;   ///< steps between snapshots; 0: only by time and after each epoch
    double save_minutes = 10;      ///< minutes between snapshots; 0: only by steps and after each epoch
    std::int64_t keep_saves = 2;   ///< number of snapshots that are kept, the newest
};

/// Text for a log: "cosine from 0.05 to 0 over 8 epochs, after a warm-up of 0.5".
std::string describe_schedule(const TrainOptions& options);

/// The learning rate over the run. Throws Error for contradictory options: milestones without the step schedule or the
/// reverse, a number of factors that does not match the milestones, or a warm-up that is not shorter than the run.
Schedule make_schedule(const TrainOptions& options);

/// SGD for the parameters of the network and of the loss. Throws Error for Nesterov momentum with momentum 0.
std::unique_ptr<Optimizer> make_optimizer(const TrainOptions& options, const std::vector<Tensor>& parameters);

}  // namespace radial::train
