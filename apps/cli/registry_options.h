// The options of the registries on a command line: --loss, --loss.OPTION, --list-losses, --model.OPTION.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/losses/loss.h"
#include "radial/models/registry.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace radial::train {

/// Adds --loss (a name or a sum, with `loss` as default), --loss.OPTION VALUE for every option of every loss and
/// regulariser and --loss.NAME.OPTION for one of them alone, which go to `settings` (hyphens may
/// stand for an option's underscores), and --list-losses, which prints
/// loss_list() and ends the program well. Whether the chosen loss has an option is for make_loss() to say. Both
/// variables must outlive `app`. Gives --loss back.
CLI::Option* add_loss_options(CLI::App& app, std::string& loss, LossSettings& settings);

/// Adds --model.OPTION VALUE for every option of every network, which go to `settings` (underscores may stand for an
/// option's hyphens). Whether the chosen network has an option is for make_model() to say. `settings` must outlive
/// `app`.
void add_model_options(CLI::App& app, ModelSettings& settings);

/// Every loss and regulariser with formula, options and their defaults, and source, at most 100 columns wide.
std::string loss_list();

/// The recorded options of a run, with the names and types that this version gives to those of the loss and the network
/// (earlier versions wrote all of these as numbers). Returned as they are if they are not those of a run.
nlohmann::ordered_json options_of_this_version(nlohmann::ordered_json options);

/// "gamma 1, scale 2", or "" for none.
std::string describe_settings(const Settings& settings);

}  // namespace radial::train
