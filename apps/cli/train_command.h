// Determines the settings of a `train` command without training.
#pragma once

#include "radial/apps/cli/image_task.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace radial::train {

/// The "options" of the config.json that the task's `train` would write for `arguments`. Throws Error for arguments
/// that `train` would reject.
nlohmann::ordered_json train_settings(const ImageTask& task, const std::vector<std::string>& arguments);

}  // namespace radial::train
