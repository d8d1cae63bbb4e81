// Everything that a run writes for people and for `eval`.
#pragma once

#include "radial/apps/common/image_task.h"
#include "radial/apps/common/report.h"
#include "radial/apps/common/run_folder.h"
#include "radial/apps/common/saved_classifier.h"
#include "radial/apps/common/trainer.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace radial::apps {

/// The network as people write it, where the task knows that.
std::string title_of(const ImageTask& task, const std::string& model);

/// Writes config.json at once, and after each epoch the checkpoint, the report and a line of metrics.jsonl.
class RunRecorder {
public:
    /// All but `config` must outlive it. With `past` epochs, which metrics.jsonl is to hold, the run's folder stays as
    /// it is; without, what an earlier run left there is deleted. Throws FileError.
    RunRecorder(const ImageTask& task, const TrainOptions& options, nlohmann::ordered_json config,
                const Classifier& classifier, const data::Dataset& test, const std::vector<EpochResult>& past);

    /// Writes what the trainer's last epoch came to. Throws FileError.
    void record(const Trainer& trainer);
    const RunFolder& folder() const { return folder_; }

private:
    ReportContent report_content(const Trainer& trainer) const;

    const ImageTask& task_;
    const TrainOptions& options_;
    nlohmann::ordered_json config_;
    const Classifier& classifier_;
    const data::Dataset& test_;
    RunFolder folder_;
};

}  // namespace radial::apps
