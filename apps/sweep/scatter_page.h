// Two-dimensional runs side by side on one page, as in Fig. 1 of the RBF-Softmax paper.
#pragma once

#include "radial/apps/cli/image_task.h"

#include <filesystem>
#include <string>
#include <vector>

namespace radial::train {

/// What is drawn, and how its features are computed.
struct ScatterPageOptions {
    std::vector<std::string> runs;  ///< folders of runs, or checkpoints
    std::filesystem::path data, out = "scatter.html";
    std::int64_t batch = 128;
    int threads = 0;
    std::string device = "cpu";
};

/// Computes the test features of each run and writes a page with a chart a run: features, prototypes, loss, settings,
/// accuracy. Throws Error when a run is not of the task's network and classes or its feature is not flat, before
/// anything is computed.
void write_scatter_page(const ImageTask& task, const ScatterPageOptions& options);

}  // namespace radial::train
