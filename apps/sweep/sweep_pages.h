// What a sweep has come to: table.md and table.html, with their tables, distances and curves, and the page of
// two-dimensional features.
#pragma once

#include "radial/apps/cli/image_task.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/sweep/sweep_runs.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace radial::train {

/// A run and what its folder says.
struct SweptRun {
    SweepRun run;
    RunState state;
};

/// The paper's figure and ours, a row a cell of the table: mean and standard deviation of the seeds that are done.
TextTable accuracy_table(const PaperTable& table, const std::vector<SweptRun>& runs);
/// A row a run: accuracy, best epoch, time, or why there is none.
TextTable run_table(const std::vector<SweptRun>& runs);

/// A part of both pages.
struct SweepSection {
    std::string title;
    std::string note;
    TextTable table;
    std::string html;  ///< behind the table, on the HTML page alone
};

/// Writes OUT/table.md and OUT/table.html. `about` is a paragraph on how it was measured. Throws FileError.
void write_sweep_page(const std::filesystem::path& out, const PaperTable& table, const std::string& about,
                      const std::vector<SweepSection>& sections);

/// K = exp(−d/γ), d the squared distance (Eq. 3).
double kernel_at(double distance, double gamma);
/// The probability of the own class when its kernel is `kernel` and that of the other classes is 0 (Eq. 4).
double probability_at(double kernel, double scale, std::int64_t classes);

/// Three charts for each of the paper's tables of γ and s (K over d, P over d, P over K; Fig. 3), and P at a few
/// distances.
std::vector<SweepSection> curve_sections();

/// Squared Euclidean distances between features and the prototypes of their classes (Table 1 of the paper).
struct OwnDistances {
    double min = 0, max = 0, mean = 0, variance = 0;
};
/// `features` [N, dim], `labels` [N], `prototypes` [classes, dim], N at least 1.
OwnDistances own_distances(std::span<const float> features, std::span<const std::int64_t> labels,
                           std::span<const float> prototypes, std::size_t dim);

/// The distances over the test set at a few steps of each run that is done, from its snapshots, below the paper's.
SweepSection distance_section(const ImageTask& task, const SweepOptions& options, const std::vector<SweptRun>& runs);

/// What is drawn, and how its features are computed.
struct ScatterPageOptions {
    std::vector<std::string> runs;  ///< folders of runs, or checkpoints
    std::filesystem::path data, out = "scatter.html";
    std::int64_t batch = 128;
    int threads = 0;
    std::string device = "cpu";
};

/// Computes the test features of each run and writes a page with a chart a run, as in Fig. 1 of the paper: features,
/// prototypes, loss, settings, accuracy. Throws Error when a run is not of the task's network and classes or its
/// feature is not flat, before anything is computed.
void write_scatter_page(const ImageTask& task, const ScatterPageOptions& options);

}  // namespace radial::train
