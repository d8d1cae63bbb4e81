// What a sweep has come to, as table.md and table.html.
#pragma once

#include "radial/apps/report/html_page.h"
#include "radial/apps/sweep/sweep_runs.h"

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

}  // namespace radial::train
