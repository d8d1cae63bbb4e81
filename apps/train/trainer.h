// The training loop that every program shares.
#pragma once

#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/kernel_watch.h"
#include "radial/apps/train/observer.h"
#include "radial/apps/train/training_step.h"
#include "radial/core/optim/optim.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// What is trained, on what, and how.
struct TrainerSetup {
    StepSetup step;  ///< evaluations use its average, where it has one
    data::Loader& train;
    data::Loader& test;
    Schedule schedule = {};  ///< of the learning rate; without one it stays the optimizer's
    std::int64_t epochs = 1;
    bool allow_dead_kernel = false;  ///< go on when no gradient flows
    bool keep_features = false;      ///< evaluations keep the test features
};

/// Trains a network and its loss. Everything else that a run does is an observer: see observer.h.
///
/// On a CUDA device the host does not wait for a step: it looks at what the steps came to every 32 of them and at the
/// epoch's end, and full batches run as one graph. Losses are the same either way.
class Trainer {
public:
    /// Throws Error for GraphUse::on on the CPU.
    explicit Trainer(TrainerSetup setup);
    ~Trainer();
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    /// Adds an observer, which must outlive the trainer.
    void observe(Observer& observer) { observers_.push_back(&observer); }
    /// Trains until all epochs are done, or until an observer calls stop(), and returns the last epoch's result. Throws
    /// as run_epoch() does, and Error where there is no epoch to run.
    const EpochResult& run();
    /// Makes run() return after the present epoch.
    void stop() { stopped_ = true; }
    bool stopped() const { return stopped_; }
    /// What is trained, on what, and how.
    const TrainerSetup& setup() const { return setup_; }

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
    void note(const std::string& line) const;
    bool wants_to_stop() const;
    bool is_better(const EpochResult& result) const;

    TrainerSetup setup_;
    std::vector<Observer*> observers_;
    bool stopped_ = false;
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
