// The command line of all programs: subcommands, config files, and errors that suggest the nearest name.
#pragma once

#include "radial/apps/cli/cli_forward.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// The group of options that are accepted, but that --help does not list.
inline constexpr const char* hidden_group = "hidden";

/// One subcommand of a program.
struct Command {
    std::string name;     ///< as on the command line: "train"
    std::string summary;  ///< one line for --help
    /// Adds the options of the subcommand to the parser and returns a function that runs the subcommand after the
    /// options have been parsed. The parser outlives that function, which may query it.
    std::function<std::function<void()>(CLI::App&)> set_up;
    /// Whether the subcommand prints nothing but its progress and writes its results to files. It then continues when
    /// standard output cannot be written, and the program warns about that at the end.
    bool keeps_results = false;
};

/// Runs the subcommand that argv[1] names. Every subcommand has the options --help and --config FILE. The file contains
/// values of the other options, as TOML or INI (see CLI11) or as JSON, such as the config.json of a run. The command
/// line overrides the file. In a subcommand that has --resume RUN, this option implies --config RUN/config.json unless
/// --config is given. As the only argument, `--version` prints the name of the program and Radial's version, `--manual`
/// its manual page in roff, and `--bash-completion` a script that completes its options in bash.
///
/// Returns the exit status of the process: 0 on success; 1 after an exception, whose message is printed on standard
/// error, or when the output cannot be written; 2 for an invalid command line, with a message that suggests the nearest
/// valid name; 128 + signal when the run was interrupted by a signal. When the reader of the output exits, SIGPIPE ends
/// the process without a message, unless Command::keeps_results is set.
///
/// Call this function first in main(), before any file is opened: it opens /dev/null in place of closed standard
/// streams.
int run_program(const std::string& program, const std::string& summary, const std::vector<Command>& commands, int argc,
                const char* const* argv);

/// Overload for a program with a single command, whose options follow the name of the program.
int run_program(const std::string& program, const Command& command, int argc, const char* const* argv);

/// Throws Error, naming the option and the value, when a parsed command line or its config file contains a number that
/// is not finite or an integer that does not fit into 64 bits. run_program() calls this function.
void check_numbers(const CLI::App& app);

/// The options of a parsed command line as a JSON object: names without dashes, and the values that were given or the
/// defaults. Flags are booleans, options that take numbers are numbers, lists are arrays, and all others are strings;
/// text that is not UTF-8 is {"latin1": TEXT}. Options without a value and without a default are left out. Passing the
/// object to --config restores the same options.
nlohmann::ordered_json resolved_options(const CLI::App& app);

}  // namespace radial::train
