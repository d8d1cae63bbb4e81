// Observers for everyday work: early stopping, the best checkpoint, snapshots, metrics.jsonl, TensorBoard.
#pragma once

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/events/run_events.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/apps/train/trainer.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>

namespace radial::train {

/// Options of EarlyStopping.
struct EarlyStoppingOptions {
    std::int64_t patience = 5;   ///< epochs without an improvement after which training stops
    double min_improvement = 0;  ///< smallest change of test accuracy, or of test loss, that counts as an improvement
};

/// Stops training when the test accuracy no longer rises, or the test loss no longer falls where targets are not
/// classes. A loss that is not finite is no improvement.
class EarlyStopping : public Observer {
public:
    /// Throws Error when the patience is below 1 or the improvement is negative.
    explicit EarlyStopping(EarlyStoppingOptions options = {});
    /// Takes in the epochs of a resumed run.
    void on_start(Trainer& trainer) override;
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    bool add(const EpochResult& result);

    EarlyStoppingOptions options_;
    double best_ = -std::numeric_limits<double>::infinity();
    std::int64_t waited_ = 0;
};

/// Writes the classifier of the best epoch so far, as save_classifier() does, with the averaged weights where the
/// training has an average.
class BestCheckpoint : public Observer {
public:
    /// `classifier` is what is trained; it must outlive this.
    BestCheckpoint(std::filesystem::path path, const Classifier& classifier);
    /// Throws FileError when the file cannot be written.
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    std::filesystem::path path_;
    const Classifier& classifier_;
};

/// Options of SnapshotSaver.
struct SnapshotSaverOptions {
    std::filesystem::path folder;  ///< files FOLDER/snapshots/step-NNNNNNNNN.safetensors
    std::int64_t steps = 0;        ///< steps between two snapshots; 0: by time alone
    double minutes = 10;           ///< minutes between two snapshots; 0: by steps alone
    std::int64_t keep = 2;         ///< number of snapshots that are kept, the newest
};

/// Saves a run after its start, every few steps or minutes and after each epoch, so that it can go on later with the
/// same results as a run that was not stopped.
class SnapshotSaver : public Observer {
public:
    /// What is trained, and its optimizer; both must outlive this. Throws Error when fewer than one file is to be kept.
    SnapshotSaver(Classifier& classifier, Optimizer& optimizer, SnapshotSaverOptions options);

    /// Restores the newest snapshot: weights, optimizer, random numbers and the trainer's place in the run. Returns
    /// false when there is none. To be called before Trainer::run(). Throws FileError when the newest snapshot is
    /// damaged or belongs to another model.
    bool resume(Trainer& trainer);

    /// Throws FileError when a snapshot cannot be written, as all below.
    void on_start(Trainer& trainer) override;
    void between_steps(Trainer& trainer) override;
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    using Clock = std::chrono::steady_clock;
    void save(Trainer& trainer);

    Classifier& classifier_;
    Optimizer& optimizer_;
    SnapshotSaverOptions options_;
    Snapshots snapshots_;
    Clock::time_point saved_ = Clock::now();
};

/// Writes a JSON object per epoch (to_json()), one a line, anew after each epoch.
class MetricsFile : public Observer {
public:
    /// Writes to `path`, which is replaced.
    explicit MetricsFile(std::filesystem::path path) : path_(std::move(path)) {}
    /// Throws FileError when the file cannot be written.
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    std::filesystem::path path_;
};

/// Writes event files for TensorBoard: loss, accuracy, gradient norm and learning rate every few steps and after each
/// epoch, and histograms of the distances to prototypes.
class TensorBoard : public Observer {
public:
    /// Writes into `folder`, a new file each time; with `log_steps` 0 only after epochs.
    explicit TensorBoard(std::filesystem::path folder, std::int64_t log_steps = 20);
    /// Throws FileError when a file cannot be written, as all below.
    void on_start(Trainer& trainer) override;
    void on_step(Trainer& trainer, const StepReport& report) override;
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    std::filesystem::path folder_;
    std::int64_t log_steps_;
    std::optional<RunEvents> events_;
};

}  // namespace radial::train
