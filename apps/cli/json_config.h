// Reads config files in JSON, or in the TOML and INI that CLI11 reads, and rejects unknown option names.
#pragma once

#include <CLI/CLI.hpp>

#include <istream>
#include <string>
#include <vector>

namespace radial::train {

/// Reads config files. A file that begins with '{' is JSON: an object of option names and values, or an object that
/// contains such an object under "options", such as a run's config.json. Any other file is read by CLI11 as TOML or
/// INI. The scale of the loss is "loss.scale" in JSON; in TOML and INI it is loss.scale, or scale in a section [loss].
///
/// If a run's config.json lacks an option of the network or the loss, because the option is newer than the run, the
/// option gets the default of the registry, not that of the program, so that the run continues as it began.
///
/// The command line takes precedence over the file: --loss.radius on the command line also overrides "loss.ring.radius"
/// in the file.
class JsonConfig : public CLI::ConfigTOML {
public:
    /// `app` must outlive this object; its options are the names that a file may contain.
    explicit JsonConfig(const CLI::App& app) : app_(app) {}
    /// Throws Error, with the name of the file if the command line gave one, when the file is empty, is malformed JSON,
    /// contains a name that is not an option (the message suggests the nearest) or the same name twice, or is too long
    /// (16 MiB of JSON, 64 KiB of anything else) or too deeply nested to be a config file.
    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

private:
    std::vector<CLI::ConfigItem> read(const std::string& text) const;
    /// Whether the command line sets the general option a.c, where `name` is a.b.c.
    bool is_overridden(const std::string& name) const;

    const CLI::App& app_;
};

}  // namespace radial::train
