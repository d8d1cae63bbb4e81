// Config files in JSON as well as in what CLI11 itself reads, with unknown names refused.
#pragma once

#include <CLI/CLI.hpp>

#include <istream>
#include <string>
#include <vector>

namespace radial::apps {

/// Reads a file whose first character is '{' as JSON: an object of option names and values, or one that holds such an
/// object under "options", as a run's config.json does. Anything else goes to CLI11's TOML and INI reader.
class JsonConfig : public CLI::ConfigTOML {
public:
    /// `app` must outlive this; its options are the names that a file may hold.
    explicit JsonConfig(const CLI::App& app) : app_(app) {}
    /// Throws Error when the JSON is malformed, or for a name that is no option, suggesting the nearest.
    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

private:
    const CLI::App& app_;
};

}  // namespace radial::apps
