// The command `sweep`, which reproduces a table or a figure of the paper.
#pragma once

#include "radial/apps/cli/image_task.h"

namespace radial::train {

/// Trains every run of a table (sweep_tables.h), each in its own folder and process. Writes table.md and table.html,
/// which compare the paper's results with ours, again after each run. Completed runs are kept, and interrupted runs are
/// resumed. A folder with a run of other settings or data is an error. A run that fails appears in the table with the
/// reason, and the sweep continues; it then ends with an error.
Command sweep_command(const ImageTask& task);

}  // namespace radial::train
