// An observer that writes the report of a run during training.
#pragma once

#include "radial/apps/report/report.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/trainer.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace radial::train {

/// The `count` most confident mistakes of an evaluation on `set` with their pictures, the most confident first.
/// Mistakes for which the set has no picture are left out. Larger pictures are reduced until the shorter side is 128
/// pixels.
std::vector<PicturedMistake> pictured_mistakes(const data::Dataset& set, const Evaluation& evaluation,
                                               std::size_t count = 24);

/// Options of Report.
struct ReportOptions {
    std::string title = "Training run";  ///< the title of the page
    std::string subtitle = {};           ///< a line below the title, such as the device
    /// Names and values, listed at the end of the page.
    std::vector<std::pair<std::string, std::string>> settings = {};
};

/// Writes a self-contained HTML page after each epoch: learning curves, the confusion matrix, the accuracy of each
/// class and the worst mistakes. For targets that are not classes, only the curves are shown.
class Report : public Observer {
public:
    /// Writes to `path`. `classifier` is the classifier that is trained, and `test` the set on which it is evaluated;
    /// both must outlive this object.
    Report(std::filesystem::path path, const Classifier& classifier, const data::Dataset& test,
           ReportOptions options = {.title = "Training run"});
    /// Writes the page. Throws FileError when it cannot be written.
    void on_epoch(Trainer& trainer, const EpochResult& result) override;

private:
    std::filesystem::path path_;
    const Classifier& classifier_;
    const data::Dataset& test_;
    ReportOptions options_;
};

}  // namespace radial::train
