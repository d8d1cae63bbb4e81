// Writes manual pages and completion scripts from the options that the commands add to their parsers.
#include "radial/apps/cli/manual.h"

#include "radial/apps/train/run/version.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <string_view>

namespace radial::train {
namespace {

/// An option as users see it.
struct ShownOption {
    std::vector<std::string> names;    ///< "--epochs"; for a positional argument one name without dashes
    std::string value;                 ///< "INT"; empty for a flag
    std::vector<std::string> choices;  ///< the values to choose from; empty: any
    std::string fallback;              ///< the default; empty: none
    std::string group, description;
};

/// Sets the value and the choices of `option` from CLI11's name of its type, such as "TEXT:{sgd,adam}" or
/// "INT:INT in [1 - 9]".
void take_type(const std::string& type, ShownOption& option) {
    option.value = type.substr(0, type.find(':'));
    const std::size_t begin = type.find('{'), end = type.find('}', begin);
    if (begin == std::string::npos || end == std::string::npos) return;
    const std::string list = type.substr(begin + 1, end - begin - 1);
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t comma = std::min(list.find(',', at), list.size());
        option.choices.push_back(list.substr(at, comma - at));
        at = comma + 1;
    }
}

ShownOption shown_option(const CLI::Option& option) {
    ShownOption shown{.names = {},
                      .value = "",
                      .choices = {},
                      .fallback = option.get_default_str(),
                      .group = option.get_group(),
                      .description = option.get_description()};
    for (const std::string& name : option.get_snames()) shown.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) shown.names.push_back("--" + name);
    if (shown.names.empty()) shown.names.push_back(option.get_name());
    if (shown.fallback == "[]" || shown.fallback == "{}") shown.fallback.clear();
    if (option.get_expected_max() != 0) take_type(option.get_type_name(), shown);
    return shown;
}

/// The options of a command that --help lists, group by group.
std::vector<ShownOption> options_of(const std::string& name, const Command& command) {
    CLI::App app(command.summary, name);
    app.add_option("--config", "Read options from FILE: TOML, INI, or JSON such as a run's config.json")
        ->type_name("FILE");
    command.set_up(app);
    std::vector<ShownOption> options;
    for (const std::string& group : app.get_groups()) {
        if (group == hidden_group || group.empty()) continue;
        for (const CLI::Option* option :
             app.get_options([&group](const CLI::Option* each) { return each->get_group() == group; }))
            options.push_back(shown_option(*option));
    }
    return options;
}

/// Text for roff: backslashes and hyphens are escaped, and no line begins with a control character.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '\\') {
            result += "\\e";
        } else if (c == '-') {
            result += "\\-";
        } else if ((c == '.' || c == '\'') && (result.empty() || result.back() == '\n')) {
            result += fmt::format("\\&{}", c);
        } else {
            result += c;
        }
    }
    return result;
}

std::string manual_entry(const ShownOption& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.names) names.push_back(fmt::format("\\fB{}\\fR", escaped(name)));
    std::string head = fmt::format("{}", fmt::join(names, ", "));
    if (!option.value.empty()) head += fmt::format(" \\fI{}\\fR", escaped(option.value));
    std::string body = escaped(option.description);
    if (!option.choices.empty()) body += escaped(fmt::format(". One of {}", fmt::join(option.choices, ", ")));
    if (!option.fallback.empty()) body += escaped(fmt::format(" (default: {})", option.fallback));
    return fmt::format(".TP\n{}\n{}\n", head, body);
}

/// The options of a command, under the headings of their groups.
std::string manual_options(const std::vector<ShownOption>& options) {
    std::string text, group;
    for (const ShownOption& option : options) {
        if (option.group != group && option.group != "Options")
            text += fmt::format(".PP\n{}:\n", escaped(option.group));
        group = option.group;
        text += manual_entry(option);
    }
    return text;
}

bool has_subcommands(const ProgramDescription& program) {
    return program.commands.size() != 1 || !program.commands.front().name.empty();
}

/// The name of a shell function for a program: letters, digits and underscores.
std::string function_name(std::string name) {
    std::ranges::replace(name, '-', '_');
    return "_" + name;
}

/// A line of a case statement: sets the words to choose from where `pattern` matches.
std::string completion_case(const std::string& pattern, const std::vector<std::string>& words) {
    return fmt::format("        {}) words=\"{}\" ;;\n", pattern, fmt::join(words, " "));
}

}  // namespace

std::string manual_page(const ProgramDescription& program) {
    const std::string name = escaped(program.name);
    std::string text = fmt::format(".TH {} 1 \"\" \"Radial {}\" \"Radial\"\n", program.name, version);
    const std::string first = program.summary.substr(0, program.summary.find(". "));
    text += fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n", name, escaped(first));
    for (const Command& command : program.commands) {
        text += fmt::format(".B {}{}{}\n[\\fIOPTIONS\\fR]\n.br\n", name, command.name.empty() ? "" : " ",
                            escaped(command.name));
    }
    text += fmt::format(".SH DESCRIPTION\n{}\n", escaped(program.summary));
    for (const Command& command : program.commands) {
        const std::vector<ShownOption> options = options_of(program.name, command);
        if (has_subcommands(program)) {
            text += fmt::format(".SH {}\n{}.\n", escaped(command.name), escaped(command.summary));
        } else {
            text += ".SH OPTIONS\n";
        }
        text += manual_options(options);
    }
    text +=
        ".SH EXIT STATUS\n0 on success; 1 after an error; 2 for an invalid command line; 128 plus the number of the "
        "signal that interrupted the program.\n";
    return text;
}

std::string bash_completion(const ProgramDescription& program) {
    const bool subcommands = has_subcommands(program);
    std::string options, values;
    std::vector<std::string> names;
    for (const Command& command : program.commands) {
        names.push_back(command.name);
        std::vector<std::string> flags;
        for (const ShownOption& option : options_of(program.name, command)) {
            for (const std::string& flag : option.names) {
                const bool placeholder = std::ranges::any_of(flag, [](char c) { return c >= 'A' && c <= 'Z'; });
                if (!flag.starts_with("--") || placeholder) continue;
                flags.push_back(flag);
                if (!option.choices.empty())
                    values += completion_case(fmt::format("\"{} {}\"", command.name, flag), option.choices);
            }
        }
        options += completion_case(fmt::format("\"{}\"", command.name), flags);
    }
    std::string text =
        fmt::format("# Completion for {} in bash.\n{}() {{\n", program.name, function_name(program.name));
    text +=
        "    local command=\"\" word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" words=\"\"\n";
    if (subcommands) {
        names.insert(names.end(), {"--help", "--version"});
        text += fmt::format(
            "    if [[ $COMP_CWORD -eq 1 ]]; then\n        mapfile -t COMPREPLY < <(compgen -W \"{}\" -- \"$word\")\n"
            "        return\n    fi\n    command=${{COMP_WORDS[1]}}\n",
            fmt::join(names, " "));
    }
    text += "    case \"$command $before\" in\n" + values + "    esac\n";
    text += "    if [[ -z $words && $word == -* ]]; then\n        case \"$command\" in\n" + options +
            "        esac\n    fi\n";
    text +=
        "    if [[ -n $words ]]; then\n        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n    else\n"
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n    fi\n}\n";
    text += fmt::format("complete -o filenames -F {} {}\n", function_name(program.name), program.name);
    return text;
}

}  // namespace radial::train
