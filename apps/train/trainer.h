// The training loop that every program shares.
#pragma once

#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/kernel_watch.h"
#include "radial/apps/train/run/failed_step.h"
#include "radial/apps/train/step_log.h"
#include "radial/apps/train/training_step.h"
#include "radial/core/optim/schedule.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace radial::train {

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

/// A line of metrics.jsonl. Values that do not exist or are not finite are null when it is written.
nlohmann::ordered_json to_json(const EpochResult& result);
/// The inverse of to_json(), with NaN for what was not finite.
EpochResult epoch_result(const nlohmann::ordered_json& line);

class Trainer;

/// What is trained, on what, and how.
struct TrainerSetup {
    StepSetup step;  ///< evaluations use its average, where it has one
    data::Loader& train;
    data::Loader& test;
    Schedule schedule;
    std::int64_t epochs = 1;
    bool allow_dead_kernel = false;  ///< go on when no gradient flows
    bool keep_features = false;      ///< evaluations keep the test features
    /// Called after each step; it may ask for state(), and what it throws ends the epoch there.
    std::function<void(Trainer&)> between_steps = {};
    /// Told of the step that ends the run, before its NumericError is thrown; returns what to add to the message.
    std::function<std::string(const FailedStep&)> failed = {};
    /// Asked between the batches of an evaluation, which is given up where it says so.
    std::function<bool()> stop = {};
    /// Called after each evaluation, with whether it was of the whole set, while state() is still that of an epoch that
    /// awaits it. It must throw where some rank's was given up; what it throws ends the epoch there.
    std::function<void(Trainer&, bool)> evaluated = {};
};

/// Trains an epoch at a time, so that the caller can log and save in between.
///
/// On a CUDA device the host does not wait for a step: it looks at what the steps came to every 32 of them and at the
/// epoch's end, and full batches run as one graph. Losses are the same either way.
class Trainer {
public:
    /// Throws Error for GraphUse::on on the CPU.
    Trainer(TrainerSetup setup, Progress& progress);
    ~Trainer();
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    /// Trains on the whole training set once, or on what an epoch that was begun has left of it, then evaluates. Throws
    /// NumericError when the loss is no longer finite (naming epoch, step and learning rate) or the kernel has died
    /// (see KernelWatch), and Error when GraphUse::on cannot be.
    EpochResult run_epoch();
    /// Where the run is, apart from the tensors of model, loss and optimizer and the random stream. Waits for the
    /// device.
    nlohmann::ordered_json state();
    /// Takes over another trainer's state(), of the same setup: the next run_epoch() goes on with the batch after its
    /// last. Where the loader has another batch size, that batch begins with the first sample that the epoch lacks.
    /// Throws nlohmann::json::exception for anything else, and Error for numbers that cannot be.
    void restore(const nlohmann::ordered_json& state);
    /// Forgets a step that was broken off because another rank was lost, so that state() is that after the last whole
    /// step. False where that cannot be.
    bool abandon_step();
    /// Steps of the run so far.
    std::int64_t steps() const;
    /// What of the epoch under way is done; nothing between two.
    data::EpochPosition position() const;
    /// Epochs done, with the part of the one under way: what the schedule is asked for the next step's rate with.
    double progress() const;
    /// Whether all steps of an epoch are done and it is not evaluated yet.
    bool awaits_evaluation() const;
    /// `watcher` is told every step as the host sees it, in order; what it throws ends the epoch there.
    void watch(std::function<void(const StepReport&)> watcher) { watcher_ = std::move(watcher); }
    /// Results so far, oldest first.
    const std::vector<EpochResult>& history() const { return history_; }
    /// What the last epoch's evaluation found.
    const Evaluation& evaluation() const { return evaluation_; }

private:
    struct Sums;
    data::EpochPosition position_after(const Sums& sums, std::int64_t steps) const;
    void train_epoch(Sums& sums, EpochResult& result);
    [[noreturn]] void end_run(const NumericError& error, const Sums& sums);
    void submit(const data::Batch& batch, Sums& sums);
    void look(Sums& sums);
    void account(const TrainingStep::Finished& step, double seconds, Sums& sums);
    void show(const Sums& sums);

    TrainerSetup setup_;
    Progress& progress_;
    std::function<void(const StepReport&)> watcher_;
    KernelWatch kernel_;
    std::unique_ptr<Sums> sums_;  ///< of the epoch that is under way
    TrainingStep step_;
    TrainingStep::Finished judged_{};  ///< the step that was looked at last
    std::vector<EpochResult> history_;
    Evaluation evaluation_;
    std::int64_t epoch_ = 0;
    std::int64_t steps_before_ = 0;  ///< of the epochs that are done
    double evaluation_seconds_ = 0;
};

}  // namespace radial::train
