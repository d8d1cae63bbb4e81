// Settings of the training programs for --recipe NAME: the paper's experiments, and fast94.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/losses/loss.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial::train {

/// One option of `train` and its value in a recipe.
struct RecipeValue {
    std::string option;  ///< without dashes
    std::string value;   ///< as on the command line
    std::string from;    ///< the source: the paper's section or table, another paper, or "Radial"
};

/// The options that a recipe sets for a loss; the others keep the defaults of the loss.
struct RecipeLoss {
    std::string loss;
    LossSettings settings;
    std::string from;
};

/// The settings of one experiment.
struct Recipe {
    std::string name;     ///< "tab5-resnet20"
    std::string program;  ///< program for the data set: "radial-cifar10"
    std::string title;
    std::vector<RecipeValue> values;
    std::vector<RecipeLoss> losses;  ///< the first is the default of --loss
};

/// All recipes: those of the paper, in its order, then others. This list is the only definition of the settings.
const std::vector<Recipe>& recipes();
/// The recipe with this name, or null.
const Recipe* find_recipe(const std::string& name);
/// The value of a recipe's option, or "".
std::string value_of(const Recipe& recipe, const std::string& option);
/// All recipes as Markdown, as in docs/recipes.md.
std::string recipe_list();

/// Adds --recipe NAME, which rejects names that are not recipes of `program`, and --list-recipes, which prints
/// recipe_list() and ends the program successfully. `recipe` must outlive `app`.
void add_recipe_options(CLI::App& app, std::string& recipe, const std::string& program);

/// Sets options of a parsed `train` to the values of the recipe `name`, unless the command line or a config file has
/// set them. Options of the loss are set to those that the recipe has for this loss (in a sum, for the first term). If
/// the number of epochs was given, options that count epochs (milestones, warm-up) are scaled to it. If another
/// --schedule was given, the recipe's milestones, factors, final rate and power are not used. If another --model was
/// given, the recipe's options of the model are not used; if --flip was given, the recipe's alternating flip is not
/// used. Does nothing when `name` is empty. Throws Error for an unknown recipe, and when the program lacks an option.
void apply_recipe(CLI::App& app, const std::string& name);

}  // namespace radial::train
