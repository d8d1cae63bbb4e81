// When a run is saved, and that a signal ends it only after it has been.
#pragma once

#include "radial/apps/common/interrupt.h"
#include "radial/apps/common/snapshots.h"
#include "radial/apps/common/train_options.h"
#include "radial/apps/common/trainer.h"

#include <chrono>
#include <string>

namespace radial::apps {

/// Saves a run between its steps and after its epochs.
class RunSaver {
public:
    /// `resume_with` is the command that goes on with the run; `options` are saved with each snapshot.
    RunSaver(const TrainOptions& run, const Classifier& classifier, const Optimizer& optimizer,
             nlohmann::ordered_json options, std::string resume_with);

    /// Saves when the steps or minutes between two snapshots have passed. After a SIGINT or SIGTERM saves at once and
    /// throws Interrupted, which says how to resume.
    void after_step(Trainer& trainer);
    /// Saves, and ends the run after a signal as after_step() does, unless it is over anyway.
    void after_epoch(Trainer& trainer, bool last);
    /// Puts the newest snapshot that can be read in place and says where the run goes on; those that cannot be read are
    /// named. Throws FileError when there is none, and Error when an option that matters is another than the run's.
    void resume(Classifier& classifier, Optimizer& optimizer, Trainer& trainer, Progress& progress) const;
    /// Deletes an earlier run's snapshots.
    void clear() const { snapshots_.clear(); }

private:
    using Clock = std::chrono::steady_clock;
    void save(Trainer& trainer);
    void end_if_signalled(const Trainer& trainer) const;
    void check_options(const nlohmann::ordered_json& saved) const;

    const TrainOptions& run_;
    const Classifier& classifier_;
    const Optimizer& optimizer_;
    nlohmann::ordered_json options_;
    std::string resume_with_;
    Snapshots snapshots_;
    SignalWatch signals_;
    Clock::time_point saved_ = Clock::now();
};

}  // namespace radial::apps
