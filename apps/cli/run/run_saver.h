// When a run is saved, and that a signal ends it only after it has been.
#pragma once

#include "radial/apps/cli/run/rank_session.h"
#include "radial/apps/cli/run/train_options.h"
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

/// Whether an option may have another value when a run goes on: it says where and how, not what.
bool may_differ(const std::string& option);

/// Whether an option that says what a run does may be changed when it goes on, since it could not go on otherwise: for
/// want of memory, or of files that can be read, or because it is over.
bool may_change(const std::string& option);

/// Saves a run between its steps and after its epochs.
class RunSaver {
public:
    /// `resume_with` is the command that goes on with the run; the options and the data of `config`, its config.json,
    /// are saved with each snapshot, and `average` where there is one.
    RunSaver(const RankSession& session, const TrainOptions& run, const Classifier& classifier,
             const Optimizer& optimizer, const nlohmann::ordered_json& config, std::string resume_with,
             Progress& progress, WeightAverage* average = nullptr);

    /// Saves the run's beginning, so that it can be resumed wherever it stops. Throws FileError.
    void start(Trainer& trainer) { save_now(trainer); }

    // A snapshot that cannot be written, on a full disk say, is told as a warning that says what is kept; the run goes
    // on, and tries again when the next one is due. Where the run's folder is gone there is nothing to go on for:
    // Error.

    /// Saves when the steps or minutes between two snapshots have passed. After a signal (see SignalWatch) saves at
    /// once and throws Interrupted, which says how to resume.
    void after_step(Trainer& trainer);
    /// Ends the run as after_step() does where a signal has made some rank give its evaluation up. It goes on with that
    /// evaluation.
    void after_evaluation(Trainer& trainer, bool whole);
    /// Saves, and ends the run after a signal as after_step() does, unless it is over anyway.
    void after_epoch(Trainer& trainer, bool last);
    /// Puts the newest snapshot that can be read in place and says where the run goes on; those that cannot be read are
    /// named, and so are options that were changed (may_change()). Throws FileError when there is none, and Error when
    /// another option that matters is not the run's, --epochs is below what is done, or
    /// the data are others (data_record.h).
    void resume(Classifier& classifier, Optimizer& optimizer, Trainer& trainer, Progress& progress) const;
    /// Does `write`, which writes what an epoch came to, with the averages in the weights' place. A FileError of its
    /// becomes a warning, but after the last epoch an Error that says how to write that once more; see after_epoch().
    void record(const std::function<void()>& write, bool last);
    /// What `failed` of TrainerSetup is to do: keeps the batch in the run's folder and says where.
    std::string keep_failed(const FailedStep& failed) const;
    /// Where `lost` ended a step: saves the run as it was before that step, and adds to the message how to go on.
    [[noreturn]] void end_after(const RankLost& lost, Trainer& trainer);
    /// Where a picture cannot be read: saves the run as it is, and adds to the message how to go on without the
    /// picture.
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
    const TrainOptions& run_;
    const Classifier& classifier_;
    const Optimizer& optimizer_;
    nlohmann::ordered_json options_, data_;
    std::string resume_with_;
    Progress& progress_;
    WeightAverage* average_;
    Snapshots snapshots_;
    SignalWatch signals_;
    Clock::time_point saved_ = Clock::now();
};

}  // namespace radial::train
