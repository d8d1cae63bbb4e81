// What every program's command line has in common: subcommands, config files, errors that suggest the nearest word.
#pragma once

#include "radial/apps/cli/cli_forward.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// Options of this group are taken but not shown by --help.
inline constexpr const char* hidden_group = "hidden";

/// One subcommand of a program. `set_up` adds its options to the parser and returns what to do once they are read;
/// the parser outlives that call, so that it may be asked what was given.
struct Command {
    std::string name;
    std::string summary;
    std::function<std::function<void()>(CLI::App&)> set_up;
    /// Whether it prints no more than how its work goes, and keeps what comes out in files: it then goes on when its
    /// output cannot be written, and only warns of that at the end.
    bool keeps_results = false;
};

/// Runs the subcommand that argv[1] names. Each takes --help, and --config FILE with values for its other options: TOML
/// or INI as CLI11 reads it, or JSON such as a run's config.json. The command line wins over the file.
/// --resume RUN, where a subcommand has it, stands for --config RUN/config.json as well.
/// Returns the process's exit status: 0, 1 after an Error (its message on stderr) or when output could not be written,
/// 2 after a mistake in the command line, which is named with the nearest thing that would have been right, and 128 +
/// signal after an Interrupted. To be called first of all: see open_standard_streams(). Where nobody reads the output
/// any more, SIGPIPE ends the process quietly, unless the command keeps its results.
int run_program(const std::string& program, const std::string& summary, const std::vector<Command>& commands, int argc,
                const char* const* argv);

/// The same for a program of one command, whose options follow its name.
int run_program(const std::string& program, const Command& command, int argc, const char* const* argv);

/// Throws Error, naming the option and the value, where a parsed command line or its config file has a number that is
/// not finite, or a whole one that 64 bits do not hold. run_program() does so.
void check_numbers(const CLI::App& app);

/// Every option of a parsed command line and its value, given or default, by name without dashes: numbers of options
/// that take numbers, else text (see text_to_json()). Options that have neither are left out. Reading it back through
/// --config gives the same command line.
nlohmann::ordered_json resolved_options(const CLI::App& app);

}  // namespace radial::train
