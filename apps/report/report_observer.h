// Writes a run's report while it trains.
#pragma once

#include "radial/apps/report/report.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/trainer.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace radial::train {

/// The most confident mistakes of an evaluation on `set`, at most `count`, with their pictures where the set has some.
std::vector<PicturedMistake> pictured_mistakes(const data::Dataset& set, const Evaluation& evaluation,
                                               std::size_t count = 24);

/// Options of Report.
struct ReportOptions {
    std::string title = "Training run";
    std::string subtitle = {};                                       ///< what it ran on, or anything else worth a line
    std::vector<std::pair<std::string, std::string>> settings = {};  ///< name and value, listed at the end
};

/// Writes a self-contained HTML page after each epoch: curves, confusion matrix, accuracy of each class, the worst
/// mistakes; for targets that are not classes the curves alone.
class Report : public Observer {
public:
    /// `classifier` is what is trained, and `test` the set that it is evaluated on; both must outlive this.
    Report(std::filesystem::path path, const Classifier& classifier, const data::Dataset& test,
           ReportOptions options = {.title = "Training run"});
    /// Throws FileError when the page cannot be written.
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    std::filesystem::path path_;
    const Classifier& classifier_;
    const data::Dataset& test_;
    ReportOptions options_;
};

}  // namespace radial::train
