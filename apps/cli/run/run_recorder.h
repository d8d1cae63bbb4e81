// Writes the files of a run that are meant for people and for `eval`.
#pragma once

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/run/run_folder.h"
#include "radial/apps/report/report.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/events/tensorboard.h"
#include "radial/apps/train/trainer.h"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace radial::train {

/// Options of RunRecorder.
struct RecordPlan {
    bool resumed = false;          ///< whether the folder holds the beginning of the run
    std::int64_t log_steps = 20;   ///< steps between two points in the event files; 0: one point per epoch
    double val_split = 0;          ///< share of the training set that is evaluated instead of the test set
    std::uint64_t split_seed = 1;  ///< seed of that division
};

/// The network's title if the task knows it, or else its name.
std::string title_of(const ImageTask& task, const std::string& model);

/// Writes config.json at once, events during training, and after each epoch the checkpoint, the best checkpoint if the
/// epoch is the best so far, the report and a line of metrics.jsonl.
class RunRecorder {
public:
    /// All arguments except `plan`, `config` and `trainer` must outlive this object. If the run is resumed, its folder
    /// keeps everything except what was written after the step that `trainer` has reached; otherwise a new run begins
    /// in the folder. Prints a note to `progress` when a resumed run lacks its best checkpoint. Throws FileError.
    RunRecorder(const ImageTask& task, const RecordPlan& plan, RunFolder& folder, nlohmann::ordered_json config,
                const Classifier& classifier, const data::Dataset& test, const Trainer& trainer, Progress& progress);

    /// Creates the event file. Call it after the first snapshot was written: a run that was killed before that has
    /// written nothing worth keeping. Throws FileError.
    void begin_events(const Trainer& trainer);
    /// Adds a step to the event file, which is written every few steps. Call it after begin_events(). Throws FileError.
    void step(const StepReport& report) { events_->step(report); }
    /// Writes the results of the trainer's last epoch. Throws FileError; if the best checkpoint was not written, the
    /// next epoch tries again.
    void record(const Trainer& trainer);
    const RunFolder& folder() const { return folder_; }

private:
    void find_best(const Trainer& trainer, Progress& progress) const;
    void write_checkpoints(const EpochResult& result);
    std::map<std::string, std::string> notes_on(const EpochResult& result) const;
    ReportContent report_content(const Trainer& trainer) const;

    const ImageTask& task_;
    RecordPlan plan_;
    nlohmann::ordered_json config_;
    const Classifier& classifier_;
    const data::Dataset& test_;
    RunFolder& folder_;
    std::optional<RunEvents> events_;
    std::optional<TensorFile> unwritten_best_;  ///< a copy of a best checkpoint that could not be written
};

}  // namespace radial::train
