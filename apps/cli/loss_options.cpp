// The registry's options as flags, and the list that explains them.
#include "radial/apps/cli/loss_options.h"

#include "radial/apps/cli/command_line.h"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>
#include <vector>

namespace radial::train {
namespace {

constexpr std::size_t list_width = 100;

/// `words` in lines that begin with `indent` spaces, the first with `label` in them.
std::string wrapped(std::size_t indent, const std::string& label, const std::vector<std::string>& words) {
    std::string lines, line = fmt::format("{:<{}}", "  " + label, indent);
    bool begun = false;
    for (const std::string& word : words) {
        if (begun && line.size() + 1 + word.size() > list_width) {
            lines += line + "\n";
            line = std::string(indent, ' ');
            begun = false;
        }
        line += (begun ? " " : "") + word;
        begun = true;
    }
    return lines + line + "\n";
}

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

/// "gamma 1," and so on: what one line is to hold together.
std::vector<std::string> pairs_of(const LossSettings& settings) {
    std::vector<std::string> pairs;
    for (const auto& [name, value] : settings) {
        if (!pairs.empty()) pairs.back() += ",";
        pairs.push_back(fmt::format("{} {}", name, value));
    }
    return pairs.empty() ? std::vector<std::string>{"none"} : pairs;
}

template <class T>
std::string entries(const Registry<RegistryEntry<T>>& registry) {
    constexpr std::size_t indent = 12;
    std::string text;
    for (const auto& entry : registry) {
        text += "\n" + entry.name + "\n" + wrapped(indent, "value", words_of(entry.formula)) +
                wrapped(indent, "options", pairs_of(entry.defaults)) +
                wrapped(indent, "source", words_of(entry.source));
    }
    return text;
}

/// Every option's flag: for all terms that have it, and for one term alone.
template <class T>
void collect(const Registry<RegistryEntry<T>>& registry, std::set<std::string>& names) {
    for (const auto& entry : registry) {
        for (const auto& [option, value] : entry.defaults) {
            names.insert(option);
            names.insert(entry.name + "." + option);
        }
    }
}

/// "--loss.learn_scale", and the same with hyphens as the other flags have them.
std::string loss_spellings(const std::string& name) {
    std::string hyphened = name;
    std::replace(hyphened.begin(), hyphened.end(), '_', '-');
    return "--loss." + name + (hyphened == name ? "" : ",--loss." + hyphened);
}

}  // namespace

CLI::Option* add_loss_options(CLI::App& app, std::string& loss, LossSettings& settings) {
    const auto chosen =
        app.add_option("--loss", loss, "Loss, or a sum of a loss and terms, as \"softmax + 0.01 * ring\"")
            ->group("Loss");
    if (!loss.empty()) chosen->capture_default_str();
    // Stands for the flags below, which --help would need pages for.
    app.add_option_function<std::string>(
           "--loss.OPTION",
           [](const std::string&) {
               throw CLI::ValidationError("--loss.OPTION", "put an option's name in OPTION's place, as --loss.scale 2");
           },
           "Option of the loss, as --loss.scale 2; of one term of a sum, as --loss.center.alpha 0.9; see --list-losses")
        ->type_name("NUMBER")
        ->configurable(false)
        ->group("Loss");
    std::set<std::string> names;
    collect(loss_registry(), names);
    collect(regulariser_registry(), names);
    for (const std::string& name : names) {
        app.add_option_function<double>(
               loss_spellings(name), [&settings, name](const double& value) { settings[name] = value; }, "")
            ->group(hidden_group);
    }
    app.add_flag_callback(
           "--list-losses",
           [] {
               fmt::print("{}", loss_list());
               throw CLI::Success();
           },
           "List the losses and their options")
        ->trigger_on_parse()
        ->configurable(false)
        ->group("Loss");
    return chosen;
}

std::string loss_list() {
    std::string text =
        "Losses, as --loss NAME. --loss.OPTION NUMBER sets an option; the numbers here are the defaults.\n";
    text += entries(loss_registry());
    if (regulariser_registry().empty()) return text;
    text += "\n\nRegularisers, behind a loss, as --loss \"softmax + 0.01 * NAME\". So can losses be added.\n";
    return text + entries(regulariser_registry());
}

std::string describe_settings(const LossSettings& settings) {
    std::string text;
    for (const auto& [name, value] : settings) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
    return text;
}

}  // namespace radial::train
