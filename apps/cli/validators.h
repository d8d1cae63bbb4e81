// Validators for the values of flags.
#pragma once

#include <CLI/CLI.hpp>

namespace radial::train {

/// Accepts numbers in [low, high]. Unlike CLI::Range, adds nothing to the flag's type in the help.
template <class T>
CLI::Validator within(T low, T high) {
    return CLI::Range(low, high).description("");
}

}  // namespace radial::train
