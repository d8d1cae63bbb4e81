// Config files in JSON as well as in what CLI11 itself reads, with unknown names refused.
#pragma once

#include <CLI/CLI.hpp>

#include <istream>
#include <string>
#include <vector>

namespace radial::train {

/// Reads a file whose first character is '{' as JSON: an object of option names and values, or one that holds such an
/// object under "options", as a run's config.json does. Anything else goes to CLI11's TOML and INI reader. The scale of
/// the loss is "loss.scale" in JSON, and loss.scale, or scale in a section [loss], elsewhere.
/// An option of the network or the loss that a run's config.json lacks, because it is newer than the run, has the
/// default of the registry, not the program's: a run goes on as it was begun.
/// As the command line wins over the file, --loss.radius given there hides the file's "loss.ring.radius" too.
class JsonConfig : public CLI::ConfigTOML {
public:
    /// `app` must outlive this; its options are the names that a file may hold.
    explicit JsonConfig(const CLI::App& app) : app_(app) {}
    /// Throws Error, naming the file where the command line gave one, when it is empty or its JSON malformed, for a
    /// name that is no option, suggesting the nearest, or is there twice, and for what is too long (16 MiB of JSON,
    /// 64 KiB of anything else) or too deeply nested to be a config file.
    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

private:
    std::vector<CLI::ConfigItem> read(const std::string& text) const;
    /// Whether the command line has a value for a.c, when `name` is a.b.c.
    bool is_overridden(const std::string& name) const;

    const CLI::App& app_;
};

}  // namespace radial::train
