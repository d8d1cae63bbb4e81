// `check`: whether all pictures of a data set can be read.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/image_task.h"

namespace radial::train {

/// Decodes all of the pictures that `train` and `eval` would read from a folder, as a whole, names those that cannot be
/// read, and ends with status 1 where there are any. Of a task whose images are files, in folders train/ and val/.
Command check_command(const ImageTask& task);

}  // namespace radial::train
