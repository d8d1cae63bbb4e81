// The command `check`, which tests whether all pictures of a data set can be read.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/image_task.h"

namespace radial::train {

/// Completely decodes every picture that `train` and `eval` would read from a folder, names those that cannot be read,
/// and ends with status 1 if there are any. For tasks whose images are files, in the folders train/ and val/.
Command check_command(const ImageTask& task);

}  // namespace radial::train
