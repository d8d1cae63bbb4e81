// The options --recipe, which fills in the values of a recipe, and --list-recipes.
#include "radial/apps/cli/recipes.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/core/util/error.h"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <set>
#include <sstream>

namespace radial::train {
namespace {

/// The reason why `name` is not a recipe of `program`, or "".
std::string problem_with(const std::string& name, const std::string& program) {
    const Recipe* const recipe = find_recipe(name);
    if (recipe != nullptr) {
        if (recipe->program == program) return "";
        return fmt::format("'{}' is a recipe of {}: run {} train --recipe {}", name, recipe->program, recipe->program,
                           name);
    }
    std::vector<std::string> names;
    std::string own;
    for (const Recipe& each : recipes()) {
        names.push_back(each.name);
        if (each.program == program) own += (own.empty() ? "" : ", ") + each.name;
    }
    const std::string nearest = suggestion(name, names);
    return fmt::format("no recipe is called '{}'{}", name, nearest.empty() ? "; they are " + own : nearest);
}

bool given(const CLI::App& app, const std::string& option) {
    const CLI::Option* const found = app.get_option_no_throw("--" + option);
    return found != nullptr && found->count() > 0;
}

void fill(CLI::App& app, const Recipe& recipe, const std::string& option, const std::string& value) {
    if (given(app, option)) return;
    CLI::Option* const found = app.get_option_no_throw("--" + option);
    RADIAL_CHECK(found != nullptr, "--recipe {}: this program has no --{}", recipe.name, option);
    found->add_result(value);
    found->run_callback();
}

/// Scales each number of a list such as "60,120" from a run of `from` epochs to one of `to`.
std::string scaled(const std::string& list, double from, double to) {
    std::string text;
    std::istringstream stream(list);
    for (std::string item; std::getline(stream, item, ',');)
        text += fmt::format("{}{}", text.empty() ? "" : ",", std::stod(item) * to / from);
    return text;
}

void fill_loss(CLI::App& app, const Recipe& recipe) {
    fill(app, recipe, "loss", recipe.losses.front().loss);
    const auto chosen = app.get_option("--loss")->as<std::string>();
    const std::size_t end = std::min(chosen.find_first_of(" +"), chosen.size());
    const std::string first = chosen.substr(0, end), prefix = "loss." + (end < chosen.size() ? first + "." : "");
    for (const RecipeLoss& loss : recipe.losses) {
        if (loss.loss != first) continue;
        for (const auto& [option, value] : loss.settings)
            if (!given(app, "loss." + option) && !given(app, fmt::format("loss.{}.{}", first, option)))
                fill(app, recipe, prefix + option, fmt::format("{}", value));
    }
}

std::string padded(const std::string& text, std::size_t width) { return fmt::format("{:<{}}", text, width); }

/// A Markdown table whose columns also line up as plain text.
std::string table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        for (std::size_t i = 0; i < widths.size(); ++i) text += "| " + padded(rows[r][i], widths[i]) + " ";
        text += "|\n";
        if (r > 0) continue;
        for (const std::size_t width : widths) text += "| " + std::string(width, '-') + " ";
        text += "|\n";
    }
    return text;
}

std::string describe(const Recipe& recipe) {
    std::vector<std::vector<std::string>> values = {{"option", "value", "from"}};
    for (const RecipeValue& value : recipe.values) values.push_back({value.option, value.value, value.from});
    std::vector<std::vector<std::string>> losses = {{"loss", "options", "from"}};
    for (const RecipeLoss& loss : recipe.losses)
        losses.push_back({loss.loss, describe_settings(loss.settings), loss.from});
    return fmt::format("## {}\n\n{}: `{} train --recipe {}`\n\n{}\n{}", recipe.name, recipe.title, recipe.program,
                       recipe.name, table(values), table(losses));
}

}  // namespace

std::string recipe_list() {
    std::string text;
    for (const Recipe& recipe : recipes()) text += (text.empty() ? "" : "\n") + describe(recipe);
    return text;
}

void add_recipe_options(CLI::App& app, std::string& recipe, const std::string& program) {
    app.add_option("--recipe", recipe,
                   "Settings of an experiment of the paper, or fast94; flags override them. See --list-recipes")
        ->check(CLI::Validator([program](const std::string& name) { return problem_with(name, program); }, ""))
        ->type_name("NAME")
        ->group("Run");
    app.add_flag_callback(
           "--list-recipes",
           [] {
               fmt::print("{}", recipe_list());
               throw CLI::Success();
           },
           "List the recipes with their settings and sources")
        ->trigger_on_parse()
        ->configurable(false)
        ->group("Run");
}

void apply_recipe(CLI::App& app, const std::string& name) {
    if (name.empty()) return;
    const Recipe* const recipe = find_recipe(name);
    RADIAL_CHECK(recipe != nullptr, "--recipe: no recipe is called '{}'", name);
    static const std::set<std::string> in_epochs = {"milestones", "warmup-epochs"};
    static const std::set<std::string> of_schedule = {"milestones", "lr-factor", "final-lr", "poly-power"};
    const auto other = [&](const std::string& option) {
        return given(app, option) && app.get_option("--" + option)->as<std::string>() != value_of(*recipe, option);
    };
    const bool other_schedule = other("schedule"), other_model = other("model");
    const double all = std::stod(value_of(*recipe, "epochs"));
    const double epochs = given(app, "epochs") ? app.get_option("--epochs")->as<double>() : all;
    for (const auto& [option, value, from] : recipe->values) {
        if (other_schedule && of_schedule.contains(option)) continue;
        if (other_model && option.starts_with("model.")) continue;
        if (option == "alternating-flip" && given(app, "flip")) continue;  // it would override --flip
        fill(app, *recipe, option, in_epochs.contains(option) ? scaled(value, all, epochs) : value);
    }
    fill_loss(app, *recipe);
}

}  // namespace radial::train
