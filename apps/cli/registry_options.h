// The options of the registries on a command line: --loss, --loss.OPTION, --list-losses, --model.OPTION.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/losses/loss.h"
#include "radial/models/registry.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace radial::train {

/// Adds the flags of the loss, and returns --loss, which is a name or a sum and whose default is `loss`. The flag
/// --loss.OPTION VALUE sets an option of every term that has it, and --loss.NAME.OPTION VALUE sets it for the term NAME
/// only; the values are stored in `settings`. An underscore in OPTION may also be given as a hyphen. make_loss() checks
/// whether the chosen loss has an option. --list-losses prints loss_list() and ends the program successfully. `loss`
/// and `settings` must outlive `app`.
CLI::Option* add_loss_options(CLI::App& app, std::string& loss, LossSettings& settings);

/// Adds --model.OPTION VALUE for every option of every network; the values are stored in `settings`. A hyphen in OPTION
/// may also be given as an underscore. make_model() checks whether the chosen network has an option. `settings` must
/// outlive `app`.
void add_model_options(CLI::App& app, ModelSettings& settings);

/// A list of all losses and regularisers with their formulas, options, defaults and sources, at most 100 columns wide.
std::string loss_list();

/// Converts the recorded options of a run to those of this version: the options of the loss and the network get their
/// present names and types (earlier versions wrote all of these as numbers), and options that did not exist yet get the
/// values with which they have no effect: the defaults of the registries and of the structs in train_options.h and
/// optimizer_options.h. Returns `recorded` unchanged if it does not contain the options of a run.
nlohmann::ordered_json options_of_this_version(const nlohmann::ordered_json& recorded);

/// Text such as "gamma 1, scale 2", or "" if there are no settings.
std::string describe_settings(const Settings& settings);

}  // namespace radial::train
