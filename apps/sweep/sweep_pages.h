// The results of a sweep: table.md and table.html with their tables, distances and curves.
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

/// A run and the state recorded in its folder.
struct SweptRun {
    SweepRun run;
    RunState state;
};

/// The paper's accuracy and ours, one row per cell of the table: mean and standard deviation over the completed seeds.
/// If softmax was trained with the same other options, the last column is the mean of the differences from softmax with
/// the same seed, with the half-width of its 95% interval (mean_interval()).
TextTable accuracy_table(const PaperTable& table, const std::vector<SweptRun>& runs);
/// One row per run: accuracy, best epoch and time, or why there are none.
TextTable run_table(const std::vector<SweptRun>& runs);

/// A section of both pages.
struct SweepSection {
    std::string title;
    std::string note;
    TextTable table;
    std::string html;  ///< after the table, only on the HTML page
};

/// Writes OUT/table.md and OUT/table.html. `about` is a paragraph that describes the measurement. Throws FileError.
void write_sweep_page(const std::filesystem::path& out, const PaperTable& table, const std::string& about,
                      const std::vector<SweepSection>& sections);

/// K = exp(−d/γ), where d is the squared distance (Eq. 3).
double kernel_at(double distance, double gamma);
/// The probability of the true class if its kernel is `kernel` and those of the other classes are 0 (Eq. 4).
double probability_at(double kernel, double scale, std::int64_t classes);

/// Three charts for each of the paper's tables of γ and s (K over d, P over d, P over K; Fig. 3), and the values of P
/// at a few distances.
std::vector<SweepSection> curve_sections();

/// Squared Euclidean distances between features and the prototypes of their classes (Table 1 of the paper).
struct OwnDistances {
    double min = 0, max = 0, mean = 0, variance = 0;
};
/// `features` [N, dim], `labels` [N], `prototypes` [classes, dim], N at least 1.
OwnDistances own_distances(std::span<const float> features, std::span<const std::int64_t> labels,
                           std::span<const float> prototypes, std::size_t dim);

/// The figures of a run's prototypes, as in Table 2 of the paper.
struct PrototypeFigures {
    std::string cell;                                ///< PaperRun::name
    double pearson = 0, spearman = 0, clusters = 0;  ///< correlations with WordNet, and the Calinski-Harabasz index
};
/// The figures of each loss beside those of the paper: means and standard deviations over the seeds.
SweepSection prototype_section(const PaperTable& table, const std::vector<PrototypeFigures>& figures);

/// The distances over the test set at a few steps of each completed run, computed from its snapshots, below those of
/// the paper.
SweepSection distance_section(const ImageTask& task, const SweepOptions& options, const std::vector<SweptRun>& runs);

}  // namespace radial::train
