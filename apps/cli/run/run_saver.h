// Saves a run when it is due, and ends it after a signal once it has been saved.
#pragma once

#include "radial/apps/cli/run/rank_session.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/interrupt.h"
#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/apps/train/trainer.h"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// Whether an option may have another value when a run is resumed, because it determines only where and how the run is
/// executed, not what it computes.
bool may_differ(const std::string& option);

/// Whether an option that determines what a run computes may still be changed when it is resumed, because the run could
/// not continue otherwise: it lacks memory, some files cannot be read, or it has already ended.
bool may_change(const std::string& option);

/// When and where a run is saved.
struct SavePlan {
    std::filesystem::path folder;  ///< folder of the run
    std::filesystem::path data;    ///< folder of the data set, for messages
    std::int64_t steps = 0;        ///< steps between snapshots; 0: only by time and after each epoch
    double minutes = 10;           ///< minutes between snapshots; 0: only by steps and after each epoch
    std::int64_t keep = 2;         ///< number of snapshots that are kept, the newest
    std::string resume_with;       ///< the command that resumes the run
    std::string schedule;          ///< description of the learning rate
};

/// Saves a run between its steps and after its epochs.
class RunSaver {
public:
    /// The options and the data in `config`, the run's config.json, are saved with each snapshot, and `average` if it
    /// is not null.
    RunSaver(const RankSession& session, SavePlan plan, const Classifier& classifier, const Optimizer& optimizer,
             const nlohmann::ordered_json& config, Progress& progress, WeightAverage* average = nullptr);

    /// Saves the initial state of the run, so that it can be resumed wherever it stops. Throws FileError.
    void start(Trainer& trainer) { save_now(trainer); }

    // When a snapshot cannot be written, for example because the disk is full, a warning says which snapshot is kept.
    // The run continues, and tries again when the next snapshot is due. If the run's folder no longer exists, these
    // functions throw Error.

    /// Saves when the steps or minutes between two snapshots have passed. After a signal (see SignalWatch) saves at
    /// once and throws Interrupted, which says how to resume.
    void after_step(Trainer& trainer);
    /// Saves and ends the run as after_step() does if a signal has made some rank abandon its evaluation. The resumed
    /// run begins with that evaluation.
    void after_evaluation(Trainer& trainer, bool whole);
    /// Saves, and after a signal ends the run as after_step() does, unless this was the last epoch.
    void after_epoch(Trainer& trainer, bool last);
    /// Loads the newest snapshot that can be read and says where the run continues. Also names the snapshots that
    /// cannot be read and the options that were changed (may_change()). Throws FileError when no snapshot can be read,
    /// and Error when another option that matters differs from the run's, when --epochs is below the number of epochs
    /// begun, or when the data differ (data_record.h).
    void resume(Classifier& classifier, Optimizer& optimizer, Trainer& trainer, Progress& progress) const;
    /// Calls `write`, which writes the results of an epoch, with the averaged weights, if any, in place of the current
    /// ones. A FileError of `write` becomes a warning or, after the last epoch, a FileError that says how to write the
    /// results again; see after_epoch().
    void record(const std::function<void()>& write, bool last);
    /// Handles Observer::on_failure(): on the first rank, saves the batch in the run's folder and returns text that
    /// says where; on the other ranks, returns "".
    std::string keep_failed(const FailedStep& failed) const;
    /// Called when `lost` has ended a step: saves the run as it was before that step, and adds to the message how to
    /// resume it.
    [[noreturn]] void end_after(const RankLost& lost, Trainer& trainer);
    /// Called when a picture cannot be read: saves the current state unless there are several ranks, and adds to the
    /// message how to continue without the picture.
    [[noreturn]] void end_after(const data::UnreadableSample& unreadable, Trainer& trainer);

private:
    using Clock = std::chrono::steady_clock;
    void save_now(Trainer& trainer);
    bool save(Trainer& trainer);
    void check_folder() const;
    std::string what_is_kept() const;
    void end_if_signalled(int signal, const Trainer& trainer, bool saved) const;
    std::vector<std::string> check_options(const nlohmann::ordered_json& saved) const;

    const RankSession& session_;
    SavePlan plan_;
    const Classifier& classifier_;
    const Optimizer& optimizer_;
    nlohmann::ordered_json options_, data_;
    Progress& progress_;
    WeightAverage* average_;
    Snapshots snapshots_;
    SignalWatch signals_;
    Clock::time_point saved_ = Clock::now();
};

}  // namespace radial::train
