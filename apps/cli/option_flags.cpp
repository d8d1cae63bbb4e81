// Options of a struct as flags of a command line.
#include "radial/apps/cli/option_flags.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace radial::train {
namespace {

/// Accepts finite numbers within the limits. CLI11's own check is not used, because it prints the largest double in
/// full and adds the range to the type that the help shows.
CLI::Validator within(Limits limits) {
    const auto check = [limits](const std::string& text) -> std::string {
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool number = error == std::errc{} && end == text.data() + text.size();
        if (number && !std::isfinite(value)) return fmt::format("'{}' is not a finite number", text);
        if (number && value >= limits.low && value <= limits.high) return "";
        if (std::isinf(limits.high)) return fmt::format("'{}' is not a number of at least {}", text, limits.low);
        return fmt::format("'{}' is not a number from {} to {}", text, limits.low, limits.high);
    };
    return {check, ""};
}

template <class T>
CLI::Option* add(CLI::App& app, const std::string& group, std::string_view name, T& value, std::string_view text) {
    return app.add_option(fmt::format("--{}", name), value, std::string(text))->capture_default_str()->group(group);
}

}  // namespace

void FlagAdder::operator()(std::string_view name, bool& value, std::string_view text) const {
    app_.add_flag(fmt::format("--{}", name), value, std::string(text))->group(group_);
}
void FlagAdder::operator()(std::string_view name, int& value, std::string_view text, Limits limits) const {
    add(app_, group_, name, value, text)->check(within(limits));
}
void FlagAdder::operator()(std::string_view name, std::int64_t& value, std::string_view text, Limits limits) const {
    add(app_, group_, name, value, text)->check(within(limits));
}
void FlagAdder::operator()(std::string_view name, std::uint64_t& value, std::string_view text) const {
    add(app_, group_, name, value, text);
}
void FlagAdder::operator()(std::string_view name, double& value, std::string_view text, Limits limits) const {
    add(app_, group_, name, value, text)->check(within(limits));
}
void FlagAdder::operator()(std::string_view name, std::vector<double>& value, std::string_view text,
                           Limits limits) const {
    add(app_, group_, name, value, text)->delimiter(',')->check(within(limits));
}
void FlagAdder::operator()(std::string_view name, std::string& value, std::string_view text) const {
    add(app_, group_, name, value, text);
}
void FlagAdder::operator()(std::string_view name, std::filesystem::path& value, std::string_view text) const {
    add(app_, group_, name, value, text)->type_name("DIR");
}

void FlagAdder::add_words(std::string_view name, const std::vector<std::string>& words, std::size_t chosen,
                          std::string_view text, const std::function<void(std::size_t)>& set) const {
    const auto store = [words, set](const std::string& word) {
        set(static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin()));
    };
    app_.add_option_function<std::string>(fmt::format("--{}", name), store, std::string(text))
        ->default_str(words.at(chosen))
        ->check(CLI::IsMember(words))
        ->group(group_);
}

}  // namespace radial::train
