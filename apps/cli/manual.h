// Manual pages and shell completion scripts, generated from a program's options.
#pragma once

#include "radial/apps/cli/command_line.h"

#include <string>
#include <vector>

namespace radial::train {

/// A program with its commands. If its only command has no name, the program has no subcommands.
struct ProgramDescription {
    std::string name;     ///< "radial-mnist"
    std::string summary;  ///< one or two sentences
    std::vector<Command> commands;
};

/// The manual page of a program, section 1, in roff: `man -l FILE` shows it.
std::string manual_page(const ProgramDescription& program);

/// A script for bash (and for zsh after `autoload bashcompinit && bashcompinit`) that completes commands, options and
/// the values of options with a fixed set of choices, and file names everywhere else.
std::string bash_completion(const ProgramDescription& program);

}  // namespace radial::train
