// The network's options on a command line: --model.OPTION.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/models/registry.h"

namespace radial::train {

/// Adds --model.OPTION NUMBER for every option of every network, which go to `settings` (underscores may stand for an
/// option's hyphens). Whether the chosen network has an option is for make_model() to say. `settings` must outlive
/// `app`.
void add_model_options(CLI::App& app, ModelSettings& settings);

}  // namespace radial::train
