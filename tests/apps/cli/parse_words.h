// Parses a command line with a config file, as the programs do.
#pragma once

#include "../../folders.h"
#include "radial/apps/cli/json_config.h"

#include <CLI/CLI.hpp>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace radial::test {

/// Parses `words` and, unless `config` is empty, a file for --config with the content `config`.
inline void parse_words(CLI::App& app, const std::vector<std::string>& words, const std::string& config) {
    app.set_config("--config");
    app.config_formatter(std::make_shared<train::JsonConfig>(app));
    const TemporaryFolder folder;
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    if (!config.empty()) {
        std::ofstream(folder / "file") << config;
        reversed.insert(reversed.begin(), {(folder / "file").string(), "--config"});
    }
    app.parse(reversed);
}

}  // namespace radial::test
