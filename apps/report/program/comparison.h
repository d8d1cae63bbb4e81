// `radial-report A B C`: how runs compare, on one page.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/report/program/run_summary.h"

namespace radial::report {

/// Reads the folders of runs and writes the page.
train::Command compare_command();

/// The page: a table of accuracy and speed, curves over each other, the settings that differ. At least one run.
std::string comparison_page(const std::vector<RunSummary>& runs);

}  // namespace radial::report
