// The options of the registries as flags, and the list of the losses with their options.
#include "radial/apps/cli/registry_options.h"

#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/run/train_options.h"
#include "radial/apps/train/classifier.h"

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <type_traits>
#include <vector>

namespace radial::train {
namespace {

constexpr std::size_t list_width = 100;

/// Wraps `words` into lines that begin with `indent` spaces; `label` is in the indentation of the first line.
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

/// An option with its default and its other choices, such as "gamma 1" or "miner all (or hard, semi-hard)".
std::string with_default(const OptionInfo& option) {
    std::string text = fmt::format("{} {}", option.name, option.value.str()), others;
    for (const std::string& choice : option.choices)
        if (option.value != choice) others += (others.empty() ? "" : ", ") + choice;
    return text + (others.empty() ? "" : fmt::format(" (or {})", others));
}

/// Each option with its default, such as "gamma 1,". wrapped() never breaks a line within one of these strings.
std::vector<std::string> pairs_of(const std::vector<OptionInfo>& options) {
    std::vector<std::string> pairs;
    for (const OptionInfo& option : options) {
        if (!pairs.empty()) pairs.back() += ",";
        pairs.push_back(with_default(option));
    }
    return pairs.empty() ? std::vector<std::string>{"none"} : pairs;
}

template <class T>
std::string entries(const Registry<RegistryEntry<T>>& registry) {
    constexpr std::size_t indent = 12;
    std::string text;
    for (const auto& entry : registry) {
        text += "\n" + entry.name + "\n" + wrapped(indent, "value", words_of(entry.formula)) +
                wrapped(indent, "options", pairs_of(entry.options)) + wrapped(indent, "source", words_of(entry.source));
    }
    return text;
}

bool same_type(const OptionInfo& a, const OptionInfo& b) {
    return a.value.is_bool() == b.value.is_bool() && a.value.is_number() == b.value.is_number() &&
           a.choices == b.choices;
}

/// Options by the names of their flags. Several entries of a registry may share a flag; the value is null if their
/// options have different types.
using Flags = std::map<std::string, std::optional<OptionInfo>>;

void collect(Flags& flags, const std::string& name, const OptionInfo& option) {
    const auto [place, is_new] = flags.try_emplace(name, option);
    if (!is_new && place->second && !same_type(*place->second, option)) place->second.reset();
}

/// Collects two flags for each option: one for all terms of a sum that have the option, and one for a single term.
template <class T>
void collect(Flags& flags, const Registry<RegistryEntry<T>>& registry) {
    for (const auto& entry : registry) {
        for (const OptionInfo& option : entry.options) {
            collect(flags, option.name, option);
            collect(flags, entry.name + "." + option.name, option);
        }
    }
}

/// "--loss.learn_scale,--loss.learn-scale": the name as given and, if that differs, with each `from` replaced by `to`.
std::string spellings(const std::string& prefix, const std::string& name, char from, char to) {
    std::string other = name;
    std::replace(other.begin(), other.end(), from, to);
    return prefix + name + (other == name ? "" : "," + prefix + other);
}

/// ",--model.checkpoint": the option's name in earlier versions, or "".
std::string former_spelling(const std::string& prefix, const std::optional<OptionInfo>& option) {
    return option && !option->former.empty() ? "," + prefix + option->former : "";
}

/// Adds a hidden option that stores its value, converted to its type, in `settings`.
void add_setting(CLI::App& app, const std::string& spelled, const std::string& name,
                 const std::optional<OptionInfo>& option, Settings& settings) {
    if (option && option->value.is_number()) {
        const auto store = [&settings, name](const double& value) { settings.insert_or_assign(name, value); };
        app.add_option_function<double>(spelled, store, "")->group(hidden_group);
        return;
    }
    const std::string owner = spelled.substr(0, spelled.find('.'));
    const auto store = [&settings, name, option, owner](const std::string& text) {
        const OptionValue value = OptionValue::parse(text);
        settings.insert_or_assign(name, option ? convert(owner, *option, value) : value);
    };
    app.add_option_function<std::string>(spelled, store, "")->group(hidden_group);
}

/// Adds --PREFIX.OPTION, which the help shows in place of the many hidden flags.
void add_placeholder(CLI::App& app, const std::string& flag, const std::string& group, const std::string& example,
                     const std::string& text) {
    const auto refuse = [flag, example](const std::string&) {
        throw CLI::ValidationError(flag, "put an option's name in OPTION's place, as " + example);
    };
    app.add_option_function<std::string>(flag, refuse, text)->type_name("VALUE")->configurable(false)->group(group);
}

/// Adds each field of a struct of options that `recorded` lacks, with its default.
template <class Options>
void add_missing(nlohmann::ordered_json& recorded) {
    const Options defaults;
    fields(defaults, [&recorded]<class T>(std::string_view name, const T& member, const auto&... /*described*/) {
        const std::string key(name);
        if (recorded.contains(key)) return;
        if constexpr (std::is_enum_v<T>)
            recorded[key] = option_value(member);
        else
            recorded[key] = member;
    });
}

}  // namespace

CLI::Option* add_loss_options(CLI::App& app, std::string& loss, LossSettings& settings) {
    const auto chosen =
        app.add_option("--loss", loss, "Loss, or a sum of a loss and terms, such as \"softmax + 0.01 * ring\"")
            ->group("Loss");
    if (!loss.empty()) chosen->capture_default_str();
    add_placeholder(
        app, "--loss.OPTION", "Loss", "--loss.scale 2",
        "Option of the loss, such as --loss.scale 2, or of one term of a sum, such as --loss.center.alpha 0.9; see "
        "--list-losses");
    Flags flags;
    collect(flags, loss_registry());
    collect(flags, regulariser_registry());
    for (const auto& [name, option] : flags)
        add_setting(app, spellings("--loss.", name, '_', '-') + former_spelling("--loss.", option), name, option,
                    settings);
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

void add_model_options(CLI::App& app, ModelSettings& settings) {
    Flags flags;
    std::string shown;
    for (const ModelInfo& info : model_registry()) {
        for (const OptionInfo& option : info.options) {
            if (!flags.contains(option.name)) shown += (shown.empty() ? "" : ", ") + option.name;
            collect(flags, option.name, option);
        }
    }
    add_placeholder(app, "--model.OPTION", "Model", "--model.dropout 0.2",
                    "Option of the network, if it has this option, such as --model.dropout 0.2: " + shown);
    for (const auto& [name, option] : flags)
        add_setting(app, spellings("--model.", name, '-', '_') + former_spelling("--model.", option), name, option,
                    settings);
}

nlohmann::ordered_json options_of_this_version(const nlohmann::ordered_json& recorded) {
    nlohmann::ordered_json options = recorded;
    const auto retype = [&options](const std::string& prefix,
                                   const std::function<Settings(const Settings&)>& complete) {
        Settings given;
        for (const auto& [name, value] : options.items())
            if (name.starts_with(prefix)) given.emplace(name.substr(prefix.size()), value.get<OptionValue>());
        for (const auto& each : given) options.erase(prefix + each.first);
        for (const auto& [name, value] : complete(given)) options[prefix + name] = value;
    };
    try {
        const auto loss = options.at("loss").get<std::string>(), model = options.at("model").get<std::string>();
        retype("loss.", [&](const Settings& given) { return loss_settings(loss, given); });
        retype("model.", [&](const Settings& given) { return model_settings(model_named(model), given); });
    } catch (const std::exception&) {
        return recorded;  // not the options of a run
    }
    add_missing<OptimizerOptions>(options);
    add_missing<AugmentationOptions>(options);
    add_missing<RankOptions>(options);
    return options;
}

std::string loss_list() {
    std::string text =
        "Losses for --loss NAME. --loss.OPTION VALUE sets an option; the values below are the defaults.\n";
    text += entries(loss_registry());
    if (regulariser_registry().empty()) return text;
    text += "\n\nRegularisers, to be added to a loss: --loss \"softmax + 0.01 * NAME\". Losses can be added too.\n";
    return text + entries(regulariser_registry());
}

std::string describe_settings(const Settings& settings) {
    std::string text;
    for (const auto& [name, value] : settings) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
    return text;
}

}  // namespace radial::train
