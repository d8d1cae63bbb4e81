// Running this program once more, in a process of its own.
#pragma once

#include "radial/apps/train/console/interrupt.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// Runs this very program, under the name `name`, with `arguments`; waits for its end and returns its exit status, or
/// 128 + the signal that ended it. What it prints is appended to `log`; `line` gets each line of it, within a fifth of
/// a second. A signal that `signals` notes meanwhile is passed on, once; the child does not get those of the terminal,
/// and is sent SIGTERM when this process ends before it. Throws FileError when `log` cannot be written.
int run_this_program(const std::string& name, const std::vector<std::string>& arguments,
                     const std::filesystem::path& log, const SignalWatch& signals,
                     const std::function<void(const std::string&)>& line);

}  // namespace radial::train
