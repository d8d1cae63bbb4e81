// The loss on a command line: --loss, --loss.OPTION, --list-losses.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/losses/loss.h"

#include <string>

namespace radial::train {

/// Adds --loss (a name or a sum, with `loss` as default), --loss.OPTION NUMBER for every option of every loss and
/// regulariser and --loss.NAME.OPTION for one of them alone, which go to `settings` (hyphens may
/// stand for an option's underscores), and --list-losses, which prints
/// loss_list() and ends the program well. Whether the chosen loss has an option is for make_loss() to say. Both
/// variables must outlive `app`. Gives --loss back.
CLI::Option* add_loss_options(CLI::App& app, std::string& loss, LossSettings& settings);

/// Every loss and regulariser with formula, options and their defaults, and source, at most 100 columns wide.
std::string loss_list();

/// "gamma 1, scale 2", or "" for none.
std::string describe_settings(const LossSettings& settings);

}  // namespace radial::train
