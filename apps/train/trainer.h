// The training loop of all programs.
#pragma once

#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/observer.h"
#include "radial/apps/train/training_step.h"
#include "radial/core/optim/schedule.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// The components and settings of a Trainer.
struct TrainerSetup {
    StepSetup step;              ///< settings of a step; evaluations use StepSetup::average if it is set
    data::Loader& train;         ///< the training set
    data::Loader& test;          ///< the test set, on which each epoch is evaluated
    Schedule schedule = {};      ///< learning rate; by default constant at the optimizer's rate
    std::int64_t epochs = 1;     ///< number of epochs of the run
    bool keep_features = false;  ///< evaluations keep the features of the test set
};

/// Trains a network and its loss. Everything else in a run is done by observers (observer.h).
///
/// On a CUDA device, the host does not wait for each step: it reads the results at least every 32 steps and at the end
/// of the epoch. The step of a full batch runs as one CUDA graph if possible (GraphUse). Neither changes the losses.
class Trainer {
public:
    /// All that `setup` refers to must outlive the trainer. Throws as TrainingStep does.
    explicit Trainer(TrainerSetup setup);
    ~Trainer();
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    /// Adds an observer, which must outlive the trainer. After restore() and before the next step, throws as
    /// Observer::restore_state() does.
    void observe(Observer& observer);
    /// Shows a line that a user should read: calls Observer::on_note() of each observer.
    void note(const std::string& line) const;
    /// Trains until all epochs are done, or until an observer calls stop(), and returns the last epoch's result. Throws
    /// as run_epoch() does, and Error when no epoch has been completed.
    const EpochResult& run();
    /// Makes run() return after the current epoch.
    void stop() { stopped_ = true; }
    /// Whether stop() has been called.
    bool stopped() const { return stopped_; }
    /// The components and settings, including the schedule in use.
    const TrainerSetup& setup() const { return setup_; }

    /// Trains on the whole training set once, or on the rest of it when an epoch was interrupted, then evaluates.
    /// Throws NumericError, naming epoch, step and learning rate, when the loss or the norm of the gradient is not
    /// finite. Rethrows exceptions of observers. Throws Error when a step cannot be recorded despite GraphUse::on, when
    /// the training set is empty, and when an observer has abandoned the evaluation.
    EpochResult run_epoch();
    /// Returns the state of the run and of its observers, without the tensors of model, loss and optimizer and without
    /// the state of default_generator(). Waits for the device.
    nlohmann::ordered_json state();
    /// Restores `saved`, the state() of another trainer with the same setup, possibly saved by an earlier version of
    /// the library. The next run_epoch() continues with the next batch. If the batch size has changed, that batch
    /// begins with the first sample of the epoch that has not been visited yet. Calls Observer::restore_state() of each
    /// observer. Throws nlohmann::json::exception when a value is missing or has the wrong type, and Error for
    /// impossible numbers; the trainer is then unchanged.
    void restore(const nlohmann::ordered_json& saved);
    /// Discards a step that failed because another rank was lost, so that state() is the state after the last complete
    /// step. Returns false when that is not possible (TrainingStep::abandon()).
    bool abandon_step();
    /// The number of steps of the run so far.
    std::int64_t steps() const;
    /// The part of the current epoch that is done; zero batches and samples between two epochs.
    data::EpochPosition position() const;
    /// The number of epochs done, including the fraction of the current one. The schedule maps it to the learning rate
    /// of the next step.
    double progress() const;
    /// Whether all steps of the current epoch are done and its evaluation is not.
    bool awaits_evaluation() const;
    /// The results of the epochs so far, the oldest first.
    const std::vector<EpochResult>& history() const { return history_; }
    /// The evaluation of the last epoch.
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
    bool wants_to_stop() const;
    bool is_better(const EpochResult& result) const;

    TrainerSetup setup_;
    std::vector<Observer*> observers_;
    bool stopped_ = false;
    MetricMeans metrics_;         ///< metrics of the current epoch
    std::unique_ptr<Sums> sums_;  ///< totals of the current epoch; null between epochs
    TrainingStep step_;
    TrainingStep::Finished judged_{};  ///< the step that was checked last
    std::vector<EpochResult> history_;
    Evaluation evaluation_;
    std::int64_t epoch_ = 0;
    std::int64_t steps_before_ = 0;  ///< steps of the completed epochs
    double evaluation_seconds_ = 0;
    nlohmann::ordered_json restored_;  ///< the observers' part of the restored state; null from the next step on
};

}  // namespace radial::train
