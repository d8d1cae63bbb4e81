// The report of a run: a self-contained HTML page.
#pragma once

#include "radial/apps/train/events/run_events.h"

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
    std::int64_t dim = 0;                   ///< length of the feature; if it is 2, features are plotted
    std::vector<PicturedMistake> mistakes;  ///< most confident first
    std::vector<std::pair<std::string, std::string>> settings;  ///< names and values of the options
    std::map<std::string, std::string> metric_descriptions{};   ///< LossMetric::description by name
};

/// The descriptions of the metrics of a loss, by name, for ReportContent.
std::map<std::string, std::string> metric_descriptions(const Loss& loss);

/// The HTML page. It contains no scripts and loads nothing from elsewhere.
std::string report_page(const ReportContent& content);

}  // namespace radial::train
