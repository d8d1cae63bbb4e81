// The self-contained HTML page that shows how a run went.
#pragma once

#include "radial/apps/train/events/run_events.h"

#include <string>
#include <utility>
#include <vector>

namespace radial::train {

/// What a report shows.
struct ReportContent {
    std::string title;                 ///< "LeNets++ with rbf-softmax on MNIST"
    std::string subtitle;              ///< what it ran on
    std::vector<EpochResult> history;  ///< at least one epoch
    std::int64_t epochs_planned = 0;   ///< more than history's while the run goes on
    Evaluation evaluation;             ///< of the last epoch
    std::vector<std::string> class_names;
    std::vector<float> prototypes;                              ///< [classes, dim], empty where the loss has none
    std::int64_t dim = 0;                                       ///< the scatter is drawn when this is 2
    std::vector<PicturedMistake> mistakes;                      ///< most confident first
    std::vector<std::pair<std::string, std::string>> settings;  ///< option and value
};

/// The whole page: no script, nothing fetched from anywhere.
std::string report_page(const ReportContent& content);

}  // namespace radial::train
