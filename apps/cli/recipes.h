// The paper's experiments as settings of the training programs: what --recipe NAME stands for.
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
    std::string from;    ///< where it stands: the paper's section or table, another paper, or "Radial"
};

/// The options that a loss has in a recipe; its own defaults are not repeated.
struct RecipeLoss {
    std::string loss;
    LossSettings settings;
    std::string from;
};

/// The settings of one experiment.
struct Recipe {
    std::string name;     ///< "tab5-resnet20"
    std::string program;  ///< the one that has the data set: "radial-cifar10"
    std::string title;
    std::vector<RecipeValue> values;
    std::vector<RecipeLoss> losses;  ///< the first is trained with unless --loss names another
};

/// Every recipe, in the paper's order. The one place where the settings stand.
const std::vector<Recipe>& recipes();
/// Null when there is none of that name.
const Recipe* find_recipe(const std::string& name);
/// The value of a recipe's option, or "".
std::string value_of(const Recipe& recipe, const std::string& option);
/// Every recipe as Markdown, which docs/recipes.md repeats.
std::string recipe_list();

/// Adds --recipe NAME, which refuses a name that is no recipe of `program`, and --list-recipes, which prints
/// recipe_list() and ends the program well. `recipe` must outlive `app`.
void add_recipe_options(CLI::App& app, std::string& recipe, const std::string& program);

/// Gives the options of a parsed `train` that neither the command line nor a config file has set the recipe's values,
/// those of the loss by the loss's name (in a sum, its first term's). What is counted in epochs (milestones, warm-up)
/// scales with a number of epochs that was given. A --schedule that was given brings its own milestones and factors, a
/// --model its own options. Does nothing when `name` is empty. Throws Error when the program lacks an option.
void apply_recipe(CLI::App& app, const std::string& name);

}  // namespace radial::train
