// Common observers: early stopping, detection of dead kernels, the best checkpoint, snapshots, metrics.jsonl,
// TensorBoard.
#pragma once

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/events/tensorboard.h"
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
    std::int64_t patience = 5;   ///< consecutive epochs without an improvement after which training stops
    double min_improvement = 0;  ///< test accuracy must rise, or test loss fall, by more than this to be an improvement
};

/// Stops training when the test accuracy or, for targets that are not classes, the test loss no longer improves. A loss
/// that is not finite is not an improvement.
class EarlyStopping : public Observer {
public:
    /// Throws Error when `patience` is below 1 or `min_improvement` is negative.
    explicit EarlyStopping(EarlyStoppingOptions options = {});
    /// Takes the earlier epochs of a resumed run into account.
    void on_start(Trainer& trainer) override;
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    bool add(const EpochResult& result);

    EarlyStoppingOptions options_;
    double best_ = -std::numeric_limits<double>::infinity();
    std::int64_t waited_ = 0;
};

/// Options of DeadKernelWatch.
struct DeadKernelWatchOptions {
    double limit = 1e-6;       ///< mean kernel below which the loss is dead
    std::int64_t window = 50;  ///< steps over which the mean kernel is averaged
    bool stops = true;         ///< false: only warns, at the first step of the run
};

/// Stops training when the loss is dead: its metric "mean_kernel" (Loss::metrics()), which RBF-Softmax reports, is so
/// small that no gradient moves features and prototypes towards each other any more. Does nothing for a loss without
/// this metric.
///
/// At the first step of a run, it reports the mean kernel, with a warning if it is below the limit. When the mean over
/// a window of steps is below the limit, it throws NumericError, unless DeadKernelWatchOptions::stops is false: "mean
/// kernel 0 after 50 steps: every prototype is out of reach of the features, so no gradient flows. Normalise the loss's
/// features, lower the learning rate, clip the gradient's norm at 1, or raise the loss's gamma". The first window of
/// each epoch begins at the epoch's first step. Steps after the last full window of an epoch are ignored, but an epoch
/// that is shorter than a window counts as one window.
class DeadKernelWatch : public Observer {
public:
    /// Throws Error when the window is below 1 or the limit is negative.
    explicit DeadKernelWatch(DeadKernelWatchOptions options = {});
    /// Throws NumericError at the end of a window in which the loss is dead, as does before_evaluation().
    void on_step(Trainer& trainer, const StepReport& report) override;
    void before_evaluation(Trainer& trainer) override;
    void save_state(nlohmann::ordered_json& states) const override;
    void restore_state(const nlohmann::ordered_json& states) override;

private:
    void end_window(std::int64_t steps);

    DeadKernelWatchOptions options_;
    double sum_ = 0;                 ///< sum of the mean kernel over the window so far
    std::int64_t window_steps_ = 0;  ///< number of steps in the window so far
    std::int64_t epoch_steps_ = 0;   ///< number of steps in the epoch so far
};

/// Writes the classifier after each epoch that is the best so far, as save_classifier() does. If the training keeps an
/// average of the weights, the averages are written.
class BestCheckpoint : public Observer {
public:
    /// Writes to `path`. `classifier` is the classifier that is trained; it must outlive this object.
    BestCheckpoint(std::filesystem::path path, const Classifier& classifier);
    /// Throws FileError when the file cannot be written.
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    std::filesystem::path path_;
    const Classifier& classifier_;
};

/// Options of SnapshotSaver.
struct SnapshotSaverOptions {
    std::filesystem::path folder;  ///< run's folder; snapshots are FOLDER/snapshots/step-NNNNNNNNN.safetensors
    std::int64_t steps = 0;        ///< steps between two snapshots; 0: not by steps
    double minutes = 10;           ///< minutes between two snapshots; 0: not by time
    std::int64_t keep = 2;         ///< number of snapshots that are kept, the newest
};

/// Saves a run at its start, every few steps or minutes, and after each epoch, so that it can be resumed later with the
/// same results as an uninterrupted run.
class SnapshotSaver : public Observer {
public:
    /// `classifier` is the classifier that is trained, and `optimizer` its optimizer; both must outlive this object.
    /// Throws Error when SnapshotSaverOptions::keep is below 1.
    SnapshotSaver(Classifier& classifier, Optimizer& optimizer, SnapshotSaverOptions options);

    /// Restores the newest snapshot: the weights, the states of the optimizer and of the random generator, and the
    /// trainer's position in the run. Returns false when there is no snapshot. Call it before Trainer::run(). Throws
    /// FileError when the newest snapshot is damaged or belongs to another model.
    bool resume(Trainer& trainer);

    /// Throws FileError when a snapshot cannot be written, as do the functions below.
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

/// Writes a file with one line per epoch, each a JSON object (to_json()). The file is rewritten after each epoch.
class MetricsFile : public Observer {
public:
    /// Writes to `path`. An existing file is replaced.
    explicit MetricsFile(std::filesystem::path path) : path_(std::move(path)) {}
    /// Throws FileError when the file cannot be written.
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    std::filesystem::path path_;
};

/// Writes event files for TensorBoard: loss, accuracy, gradient norm, learning rate and the loss's metrics every few
/// steps and after each epoch, and histograms of the distances to prototypes.
class TensorBoard : public Observer {
public:
    /// Writes to a new file in `folder` every `log_steps` steps and after each epoch; if `log_steps` is 0, only after
    /// each epoch.
    explicit TensorBoard(std::filesystem::path folder, std::int64_t log_steps = 20);
    /// Throws FileError when the file cannot be written, as do the functions below.
    void on_start(Trainer& trainer) override;
    void on_step(Trainer& trainer, const StepReport& report) override;
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    std::filesystem::path folder_;
    std::int64_t log_steps_;
    std::optional<RunEvents> events_;
};

}  // namespace radial::train
