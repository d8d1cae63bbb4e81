// `sweep`: repeats a table or a figure of the paper.
#pragma once

#include "radial/apps/cli/image_task.h"

namespace radial::train {

/// Trains every run of a table (sweep_tables.h), each in a folder and a process of its own, and writes table.md and
/// table.html with the paper's figures beside ours, anew after each run. Runs that are done are kept, those that were
/// stopped go on; a run of other settings or data in the folder is an error. A run that fails stands in the table with
/// the reason, and the sweep goes on; it then ends with an error.
Command sweep_command(const ImageTask& task);

}  // namespace radial::train
