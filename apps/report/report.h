// The report of a run, a self-contained HTML page, and the observer that writes it during training.
#pragma once

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/events/tensorboard.h"
#include "radial/apps/train/trainer.h"

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace radial::train {

/// The content of a report.
struct ReportContent {
    std::string title;                      ///< "LeNets++ with rbf-softmax on MNIST"
    std::string subtitle;                   ///< a line below the title, such as the device
    std::vector<EpochResult> history;       ///< results of the epochs; at least one
    std::int64_t epochs_planned = 0;        ///< number of epochs of the whole run
    Evaluation evaluation;                  ///< the evaluation of the last epoch
    std::vector<std::string> class_names;   ///< empty for targets that are not classes
    std::vector<float> prototypes;          ///< [classes * K, dim] (Loss::prototypes()); empty: none
    std::int64_t dim = 0;                   ///< feature dimension; if it is 2, features are plotted
    std::vector<PicturedMistake> mistakes;  ///< most confident first
    std::vector<std::pair<std::string, std::string>> settings;  ///< names and values of the options
    std::map<std::string, std::string> metric_descriptions{};   ///< LossMetric::description by name
};

/// The descriptions of the metrics of a loss, by name, for ReportContent.
std::map<std::string, std::string> metric_descriptions(const Loss& loss);

/// The HTML page. It contains no scripts and loads nothing from elsewhere.
std::string report_page(const ReportContent& content);

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
/// class, calibration and the worst mistakes. For targets that are not classes, only the curves are shown.
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
