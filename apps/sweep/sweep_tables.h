// The paper's tables and figures that `sweep` reproduces: their runs, and the paper's results.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace radial::train {

/// One cell of a table: the options of its run, and the paper's result.
struct PaperRun {
    std::string name;    ///< name of the run's folder, unique in its table: "resnet20-rbf-g2-s3"
    std::string row;     ///< row name as in the paper's table: "RBF-Softmax (γ 2, s 3)"
    std::string column;  ///< column name, if the table has several: "ResNet-20"
    std::string recipe;
    std::vector<std::pair<std::string, std::string>> options;  ///< options of `train` besides the recipe's
    std::string paper;                                         ///< the paper's accuracy: "99.27%", or "–"
};

/// The kinds of results that a sweep computes from its runs.
enum class SweepResult : std::uint8_t {
    accuracy,    ///< only the table
    distances,   ///< also the squared distances to the prototype of the true class, early in training
    scatter,     ///< also a page of two-dimensional features
    prototypes,  ///< also a page of the prototypes' similarities beside WordNet's, and their correlation
    curves,      ///< no runs: only curves that follow from the formula
};

/// A table or a figure of the paper.
struct PaperTable {
    std::string id;  ///< "tab4"
    std::string title;
    std::string program;
    std::string column_title = "";  ///< heading of PaperRun::column, if the table has several columns
    SweepResult result = SweepResult::accuracy;
    std::vector<PaperRun> runs;
};

/// A table with one run for each combination of option values, each option given as "NAME=VALUE,VALUE...". Values
/// cannot contain commas. Throws Error for text of another form and for a name that is given twice.
PaperTable grid_of(const std::string& program, const std::vector<std::string>& vary);
/// Whether a table was made by grid_of().
bool is_grid(const PaperTable& table);

/// All tables, in the paper's order.
const std::vector<PaperTable>& paper_tables();

/// A row of the paper's Table 2: the correlation with WordNet's similarities, and the Calinski-Harabasz index.
struct PaperPrototypes {
    std::string run;  ///< PaperRun::name
    std::string correlation, clusters;
};
const std::vector<PaperPrototypes>& paper_table_2();

/// A row of the paper's Table 1.
struct PaperDistances {
    std::string dim, min, max, mean, variance;
};
const std::vector<PaperDistances>& paper_table_1();

}  // namespace radial::train
