// Options of a struct as flags of a command line: see fields() in core/util/options.h.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/core/util/options.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// The range of a numeric option, both ends included.
struct Limits {
    double low = -std::numeric_limits<double>::infinity();  ///< the smallest
    double high = std::numeric_limits<double>::infinity();  ///< the largest
};
/// Numbers of at least 0.
inline constexpr Limits not_negative{.low = 0};

/// Adds a flag --NAME for each visited field, with the field's current value as default: a switch for a bool, one of
/// its words for an enum, a comma-separated list for a vector.
class FlagAdder {
public:
    /// The help lists the flags under the heading `group`. `app` and the visited structs must outlive parsing.
    FlagAdder(CLI::App& app, std::string group) : app_(app), group_(std::move(group)) {}

    ///@{
    /// Adds the flag of one field.
    void operator()(std::string_view name, bool& value, std::string_view text) const;
    void operator()(std::string_view name, int& value, std::string_view text, Limits limits) const;
    void operator()(std::string_view name, std::int64_t& value, std::string_view text, Limits limits) const;
    void operator()(std::string_view name, std::uint64_t& value, std::string_view text) const;
    void operator()(std::string_view name, double& value, std::string_view text, Limits limits) const;
    void operator()(std::string_view name, std::vector<double>& value, std::string_view text, Limits limits) const;
    void operator()(std::string_view name, std::string& value, std::string_view text) const;
    void operator()(std::string_view name, std::filesystem::path& value, std::string_view text) const;
    template <class E>
    requires std::is_enum_v<E>
    void operator()(std::string_view name, E& value, std::string_view text) const {
        add_words(name, option_words<E>(), static_cast<std::size_t>(value), text,
                  [&value](std::size_t index) { value = static_cast<E>(index); });
    }
    ///@}

private:
    void add_words(std::string_view name, const std::vector<std::string>& words, std::size_t chosen,
                   std::string_view text, const std::function<void(std::size_t)>& set) const;

    CLI::App& app_;
    std::string group_;
};

/// Adds a flag for every field of `options`, which must outlive parsing. The help lists them under the heading `group`.
template <class Options>
void add_fields(CLI::App& app, Options& options, const std::string& group) {
    fields(options, FlagAdder(app, group));
}

}  // namespace radial::train
