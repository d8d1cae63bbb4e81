// The paper's tables and figures that `sweep` repeats: their runs, and the figures the paper has for them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace radial::train {

/// One cell of a table: what is trained, and what the paper has for it.
struct PaperRun {
    std::string name;    ///< of the run's folder, unique in its table: "resnet20-rbf-g2-s3"
    std::string row;     ///< as the paper's table has it: "RBF-Softmax (γ 2, s 3)"
    std::string column;  ///< where the table has several: "ResNet-20"
    std::string recipe;
    std::vector<std::pair<std::string, std::string>> options;  ///< of `train`, beside the recipe's
    std::string paper;                                         ///< accuracy, as "99.27%", or "–"
};

/// What a sweep makes of its runs.
enum class SweepResult : std::uint8_t {
    accuracy,   ///< the table alone
    distances,  ///< squared distances to the own prototype early in training, too
    scatter,    ///< a page of two-dimensional features, too
    curves,     ///< no runs: curves that follow from the formula
};

/// A table or a figure of the paper.
struct PaperTable {
    std::string id;  ///< "tab4"
    std::string title;
    std::string program;
    std::string column_title = "";  ///< what PaperRun::column names, where the table has several
    SweepResult result = SweepResult::accuracy;
    std::vector<PaperRun> runs;
};

/// A table of the runs that options with several values make, each "NAME=VALUE,VALUE...": one run for each combination.
/// Values with commas cannot be given. Throws Error for text that is not so, and for a name that is given twice.
PaperTable grid_of(const std::string& program, const std::vector<std::string>& vary);
/// Whether a table was made by grid_of().
bool is_grid(const PaperTable& table);

/// All of them, in the paper's order.
const std::vector<PaperTable>& paper_tables();

/// A row of the paper's Table 1.
struct PaperDistances {
    std::string dim, min, max, mean, variance;
};
const std::vector<PaperDistances>& paper_table_1();

}  // namespace radial::train
