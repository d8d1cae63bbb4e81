// The training loop that every program shares.
#pragma once

#include "radial/apps/common/evaluate.h"
#include "radial/apps/common/kernel_watch.h"
#include "radial/apps/common/progress.h"
#include "radial/core/module.h"
#include "radial/core/optim.h"
#include "radial/core/schedule.h"
#include "radial/data/loader.h"
#include "radial/losses/loss.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace radial::apps {

/// What one epoch came to.
struct EpochResult {
    std::int64_t epoch = 0;                     ///< from 1
    double train_loss = 0, train_accuracy = 0;  ///< over the batches as they were trained on
    double test_loss = 0, test_accuracy = 0;    ///< after the epoch
    double best_accuracy = 0;                   ///< best test accuracy so far
    std::int64_t best_epoch = 0;                ///< the epoch that reached it first
    std::optional<double> mean_kernel;          ///< over the epoch; none for a loss without a kernel
    std::optional<double> initial_mean_kernel;  ///< of the run's first step
    double images_per_second = 0, seconds = 0;  ///< of training alone; of the epoch with its evaluation
    double lr = 0;                              ///< at the last step
    double gradient_norm = 0;                   ///< mean over the steps, before clipping
    std::size_t peak_bytes = 0;                 ///< most that tensors held at once during the epoch
    std::string order;                          ///< digest of the order in which the samples were visited
};

/// A line of metrics.jsonl. Values that do not exist are null.
nlohmann::ordered_json to_json(const EpochResult& result);

/// What is trained, on what, and how.
struct TrainerSetup {
    Layer& model;
    Loss& loss;
    data::Loader& train;
    data::Loader& test;
    Optimizer& optimizer;
    Schedule schedule;
    std::int64_t epochs = 1;
    double clip_norm = 0;            ///< 0: the gradient is left alone
    bool allow_dead_kernel = false;  ///< go on when no gradient flows
    bool keep_features = false;      ///< evaluations keep the test features
    Device device;
};

/// Trains an epoch at a time, so that the caller can log and save in between.
class Trainer {
public:
    Trainer(TrainerSetup setup, Progress& progress);

    /// Trains on the whole training set once, then evaluates. Throws NumericError when the loss is no longer finite
    /// (naming epoch, step and learning rate) or the kernel has died (see KernelWatch).
    EpochResult run_epoch();
    /// Results so far, oldest first.
    const std::vector<EpochResult>& history() const { return history_; }
    /// What the last epoch's evaluation found.
    const Evaluation& evaluation() const { return evaluation_; }

private:
    struct Sums;
    void step(data::Batch batch, Sums& sums);
    std::int64_t correct_predictions(const Tensor& feature, const Tensor& labels) const;
    double clip(std::int64_t step) const;
    void show(const Sums& sums);
    std::string place(std::int64_t step) const;

    TrainerSetup setup_;
    Progress& progress_;
    KernelWatch kernel_;
    std::vector<Tensor> parameters_;
    std::vector<EpochResult> history_;
    Evaluation evaluation_;
    std::int64_t epoch_ = 0;
    double evaluation_seconds_ = 0;
};

}  // namespace radial::apps
