// What a training run is told: one struct, and the schedule and optimizer that it describes.
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

/// Every default of the training programs stands here; a program with other defaults sets them first.
struct TrainOptions {
    std::string recipe;            ///< of the paper; what it fills in stands in the other members
    ModelSettings model_settings;  ///< those given; the model's defaults fill the rest
    std::string loss = "rbf-softmax";
    LossSettings loss_settings;  ///< those given; the loss's defaults fill the rest
    std::string class_weights = "none";
    std::string model;      ///< empty: the program's
    std::int64_t dim = 32;  ///< 0: the network's own

    std::int64_t epochs = 8;
    std::int64_t batch = 128;
    bool drop_last = false;  ///< leave out an epoch's last batch where it is not full
    double lr = 0.05;
    double momentum = 0.9;
    bool nesterov = false;
    double weight_decay = 0.0;
    std::string weight_decay_on = "all";
    double clip_norm = 1.0;       ///< 0: no clipping
    std::int64_t accumulate = 1;  ///< parts of a batch that go through one after another
    double ema = 0.0;             ///< decay of the weights' moving average; 0: none
    std::string schedule = "cosine";
    double warmup_epochs = 0.0;
    std::vector<double> milestones;          ///< in epochs, for the step schedule
    std::vector<double> lr_factors = {0.1};  ///< of all milestones, or of each
    bool allow_dead_kernel = false;
    AugmentationOptions augmentation;
    PictureOptions pictures;  ///< of sets that are files

    std::uint64_t seed = 1;
    int threads = 0;  ///< 0: every core
    int workers = 1;
    std::string device = "cpu";
    std::string precision = "float32";
    std::string graph = "auto";
    std::int64_t limit = 0;       ///< train on the first so many samples; 0: all
    std::int64_t log_steps = 20;  ///< between two points of a curve in the event files; 0: after epochs alone
    std::filesystem::path data;
    std::filesystem::path out;
    bool overwrite = false;  ///< a run that `out` holds

    bool sync_batch_norm = false;
    double bucket_mb = 0;       ///< megabytes; 0: GradientReducerOptions' own
    double rank_timeout = 300;  ///< seconds

    std::filesystem::path resume;  ///< folder of a run to go on with; empty: a new one
    std::int64_t save_steps = 0;   ///< between snapshots; 0: by time alone
    double save_minutes = 10;      ///< between snapshots; 0: by steps alone
    std::int64_t keep_saves = 2;
};

/// "cosine from 0.05 to 0 over 8 epochs, after a warm-up of 0.5"
std::string describe_schedule(const TrainOptions& options);

/// The learning rate over the run. Throws Error when the settings contradict each other.
Schedule make_schedule(const TrainOptions& options);

/// SGD over the parameters of the network and of the loss. Throws Error when the settings contradict each other.
std::unique_ptr<Optimizer> make_optimizer(const TrainOptions& options, const std::vector<Tensor>& parameters);

}  // namespace radial::train
