// Parses the command line with CLI11, and reports the errors in it.
#include "radial/apps/cli/command_line.h"

#include "radial/apps/cli/json_config.h"
#include "radial/apps/cli/manual.h"
#include "radial/apps/train/console/interrupt.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/version.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/core/util/text.h"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <new>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

namespace radial::train {
namespace {

constexpr int exit_error = 1, exit_usage = 2;
constexpr int signal_status = 128;  // plus the number of the signal, as in shells

int usage_error(const std::string& program, const std::string& message, const std::string& help) {
    print_error(fmt::format("{}: {}\nRun '{} --help' for what it takes.\n", program, message, help));
    return exit_usage;
}

void print_summary(const std::string& program, const std::string& summary, const std::vector<Command>& commands) {
    fmt::print("{}\nUsage: {} COMMAND [OPTIONS]\n\nCommands:\n", summary, program);
    for (const Command& command : commands) fmt::print("  {:<12}{}\n", command.name, command.summary);
    fmt::print("\nRun '{0} COMMAND --help' for a command's options, '{0} --version' for the version.\n", program);
}

/// The output for `--version`, `--manual` or `--bash-completion` as the only argument; nothing for any other command
/// line.
std::optional<std::string> about_program(const ProgramDescription& program, int argc, const char* const* argv) {
    const std::string_view word = argc == 2 ? argv[1] : "";
    if (word == "--version") return fmt::format("{} (Radial {})\n", program.name, version);
    if (word == "--manual") return manual_page(program);
    if (word == "--bash-completion") return bash_completion(program);
    return std::nullopt;
}

std::vector<std::string> flag_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    // Names with capitals are placeholders, such as --loss.OPTION.
    std::erase_if(names, [](const std::string& name) {
        return std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    });
    return names;
}

/// Describes arguments that match no option. Unknown flags are reported first, because the value of an unknown flag is
/// left over as well.
std::string describe_extras(const CLI::App& app) {
    const std::vector<std::string> extras = app.remaining();
    const auto flag =
        std::find_if(extras.begin(), extras.end(), [](const auto& word) { return word.starts_with('-'); });
    if (flag == extras.end()) return fmt::format("unexpected argument '{}'", shortened(extras.front()));
    const std::string name = flag->substr(0, flag->find('='));
    return fmt::format("unknown flag '{}'{}", shortened(name), suggestion(name, flag_names(app)));
}

/// CLI11's help without the options in `hidden_group`. (CLI11's own hidden group is not used, because error messages do
/// not name the options in it.)
class Help : public CLI::Formatter {
public:
    std::string make_group(std::string group, bool is_positional,
                           std::vector<const CLI::Option*> options) const override {
        return group == hidden_group ? "" : CLI::Formatter::make_group(group, is_positional, options);
    }

    /// Omits the default of a list that is empty by default.
    std::string make_option_opts(const CLI::Option* option) const override {
        std::string text = CLI::Formatter::make_option_opts(option);
        for (const std::string empty : {"=[]", " [{}] "})
            if (const std::size_t at = text.find(empty); at != std::string::npos) text.erase(at, empty.size());
        return text;
    }
};

/// RUN/config.json if --resume RUN is given and --config is not, because the run continues with the settings in that
/// file. Otherwise empty.
std::filesystem::path config_to_resume(const CLI::App& app) {
    const CLI::Option* const resume = app.get_option_no_throw("--resume");
    if (resume == nullptr || resume->count() == 0 || app.get_config_ptr()->count() > 0) return {};
    return std::filesystem::path(resume->as<std::string>()) / "config.json";
}

/// Rejects a --config that is not a regular file before CLI11 opens it: opening a pipe would wait for its writer. A
/// missing file is left to CLI11.
CLI::Validator regular_file() {
    const auto check = [](const std::string& path) -> std::string {
        std::error_code unknown;
        if (!std::filesystem::exists(path, unknown)) return "";
        try {
            check_regular_file(path);
            return "";
        } catch (const Error& error) {
            return error.what();
        }
    };
    return {check, ""};
}

/// Throws Error when the command line contains both --resume and an --out that is another folder.
void check_out_beside_resume(const CLI::App& app, int argc, const char* const* argv) {
    const CLI::Option* const resume = app.get_option_no_throw("--resume");
    const bool given = std::any_of(
        argv, argv + argc, [](const std::string_view word) { return word == "--out" || word.starts_with("--out="); });
    if (resume == nullptr || resume->count() == 0 || !given) return;
    const std::filesystem::path out = app.get_option("--out")->as<std::string>(), run = resume->as<std::string>();
    std::error_code ignored;
    RADIAL_CHECK(std::filesystem::weakly_canonical(out, ignored) == std::filesystem::weakly_canonical(run, ignored),
                 "--out: is {}, but a run that is resumed goes on in its own folder, {}; to keep that as it is, resume "
                 "a copy of it",
                 out.string(), run.string());
}

int run_command(const std::string& full_name, const Command& command, int argc, const char* const* argv) {
    CLI::App app(command.summary, full_name);
    app.set_config("--config", "", "Read options from FILE: TOML, INI, or JSON such as a run's config.json")
        ->type_name("FILE")
        ->check(regular_file())
        ->trigger_on_parse();
    app.config_formatter(std::make_shared<JsonConfig>(app));
    app.formatter(std::make_shared<Help>());
    // Leftover arguments are checked first, so that a mistyped flag is reported instead of the required flag that it
    // replaces.
    app.allow_extras();
    const std::function<void()> run = command.set_up(app);
    try {
        app.parse(argc, argv);
        if (app.remaining_size() == 0) {
            check_numbers(app);
            check_out_beside_resume(app, argc, argv);
        }
    } catch (const CLI::Success& help) {
        std::ostringstream text;
        const int status = app.exit(help, text, text);
        fmt::print("{}", text.str());
        check_output();  // an error even with keeps_results, because the printed text is the result
        return status;
    } catch (const CLI::ParseError& error) {
        const bool extras = app.remaining_size() > 0;
        return usage_error(full_name, extras ? describe_extras(app) : error.what(), full_name);
    } catch (const Error& error) {
        return usage_error(full_name, error.what(), full_name);
    }
    if (app.remaining_size() > 0) return usage_error(full_name, describe_extras(app), full_name);
    if (const std::filesystem::path resumed = config_to_resume(app); !resumed.empty()) {
        const std::string config = "--config=" + resumed.string();
        std::vector<const char*> arguments(argv, argv + argc);
        arguments.push_back(config.c_str());
        return run_command(full_name, command, argc + 1, arguments.data());
    }
    run();
    return 0;
}

/// Runs `work`, which returns an exit status. Reports exceptions, and output that could not be written.
int guarded(const std::string& name, bool keeps_results, const std::function<int()>& work) {
    const auto report = [&](const std::string& problem) { print_error(fmt::format("{}: {}\n", name, problem)); };
    if (keeps_results) std::signal(SIGPIPE, SIG_IGN);  // printing then fails, which is allowed
    int status = exit_error;
    std::error_code unwritten;
    try {
        status = work();
    } catch (const Interrupted& stop) {
        if (*stop.what() != '\0') report(stop.what());
        return signal_status + stop.signal();
    } catch (const std::bad_alloc&) {
        report("out of memory");
    } catch (const std::system_error& error) {  // fmt throws one when printing fails
        if (std::ferror(stdout) != 0)
            unwritten = error.code();
        else
            report(error.what());
    } catch (const std::exception& error) {
        report(error.what());
    }
    if (!unwritten) unwritten = output_error();
    if (!unwritten) return status;
    const bool warn = keeps_results && status == 0;
    report(fmt::format("{}standard output: cannot be written: {}", warn ? "warning: " : "", unwritten.message()));
    return warn || status != 0 ? status : exit_error;
}

int print_text(const std::string& program, const std::string& text) {
    return guarded(program, false, [&] {
        fmt::print("{}", text);
        return 0;
    });
}

/// Whether the values of an option have the type that CLI11 calls `type`.
bool takes(const CLI::Option& option, std::string_view type) { return option.get_type_name().starts_with(type); }
bool takes_whole_numbers(const CLI::Option& option) { return takes(option, "INT") || takes(option, "UINT"); }
bool takes_numbers(const CLI::Option& option) { return takes_whole_numbers(option) || takes(option, "FLOAT"); }

/// Converts the value of an option to JSON. For an option that takes numbers, the result is a number, or a list of
/// numbers for a default.
nlohmann::ordered_json typed(const CLI::Option& option, const std::string& text) {
    if (!takes_numbers(option)) return text_to_json(text);
    auto value = nlohmann::ordered_json::parse(text, nullptr, false);
    if (value.is_number() || value.is_array()) return value;
    // Numbers that JSON spells differently, such as .5 and 0x10.
    std::int64_t whole = 0;
    if (takes_whole_numbers(option) && CLI::detail::lexical_cast(text, whole)) return whole;
    double number = 0;
    return CLI::detail::lexical_cast(text, number) ? nlohmann::ordered_json(number) : nlohmann::ordered_json(text);
}

/// Converts the default of a list to JSON. CLI11 2.4 writes an empty list as "{}", earlier versions as "[]".
nlohmann::ordered_json default_list(const CLI::Option& option, const std::string& text) {
    return text == "{}" || text == "[]" ? nlohmann::ordered_json::array() : typed(option, text);
}

}  // namespace

int run_program(const std::string& program, const std::string& summary, const std::vector<Command>& commands, int argc,
                const char* const* argv) {
    open_standard_streams();
    if (const auto text = about_program({program, summary, commands}, argc, argv)) return print_text(program, *text);
    const std::string name = argc > 1 ? argv[1] : "--help";
    const auto chosen =
        std::find_if(commands.begin(), commands.end(), [&](const auto& each) { return each.name == name; });
    if (chosen != commands.end()) {
        const std::string full_name = fmt::format("{} {}", program, name);
        return guarded(full_name, chosen->keeps_results,
                       [&] { return run_command(full_name, *chosen, argc - 1, argv + 1); });
    }
    return guarded(program, false, [&] {
        if (name == "--help" || name == "-h") {
            print_summary(program, summary, commands);
            return argc > 1 ? 0 : exit_usage;
        }
        std::vector<std::string> names;
        names.reserve(commands.size());
        for (const Command& command : commands) names.push_back(command.name);
        return usage_error(program, fmt::format("unknown command '{}'{}", shortened(name), suggestion(name, names)),
                           program);
    });
}

int run_program(const std::string& program, const Command& command, int argc, const char* const* argv) {
    open_standard_streams();
    if (const auto text = about_program({program, command.summary, {command}}, argc, argv))
        return print_text(program, *text);
    return guarded(program, command.keeps_results, [&] { return run_command(program, command, argc, argv); });
}

void check_numbers(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        if (option->count() == 0 || !takes_numbers(*option)) continue;
        for (const std::string& text : option->reduced_results()) {
            long double number = 0;  // represents 64-bit integers exactly
            if (!CLI::detail::lexical_cast(text, number)) continue;
            RADIAL_CHECK(std::isfinite(static_cast<double>(number)), "{}: '{}' is not a finite number",
                         option->get_name(), text);
            const long double most = std::ldexp(1.0L, takes(*option, "UINT") ? 64 : 63);
            RADIAL_CHECK(!takes_whole_numbers(*option) || (number < most && number >= -most),
                         "{}: '{}' is a number of more than 64 bits", option->get_name(), text);
        }
    }
}

nlohmann::ordered_json resolved_options(const CLI::App& app) {
    auto values = nlohmann::ordered_json::object();
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_configurable() || option->get_lnames().empty()) continue;
        const std::string& name = option->get_lnames().front();
        const bool is_flag = option->get_expected_max() == 0, is_list = option->get_items_expected_max() > 1;
        if (is_flag) {
            values[name] = option->count() > 0 && option->as<bool>();
        } else if (is_list && option->count() > 0) {
            values[name] = nlohmann::ordered_json::array();
            for (const std::string& item : option->reduced_results()) values[name].push_back(typed(*option, item));
        } else if (option->count() > 0) {
            values[name] = typed(*option, option->reduced_results().front());
        } else if (!option->get_default_str().empty()) {
            const std::string& value = option->get_default_str();
            values[name] = is_list ? default_list(*option, value) : typed(*option, value);
        }
    }
    return values;
}

}  // namespace radial::train
