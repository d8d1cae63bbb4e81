// Values of options: text, conversion between types, and defaults.
#include "radial/core/util/options.h"

#include "radial/core/util/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

namespace radial {
namespace {

/// Integers below this limit are exact in a double.
constexpr double exact_limit = 1e15;

template <class T>
bool reads(const std::string& text, T& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

std::string expectation(const OptionInfo& option) {
    if (option.value.is_bool()) return "true or false";
    if (option.value.is_whole()) return "a whole number";
    if (option.value.is_number()) return "a finite number";
    return option.choices.empty() ? "a word" : fmt::format("one of {}", fmt::join(option.choices, ", "));
}

/// Converts `value` to the type of the option. Returns false if that is not possible.
bool converted(const OptionInfo& option, const OptionValue& value, OptionValue& result) {
    if (option.value.is_word()) {
        const auto& choices = option.choices;
        if (value.is_word()) {
            result = value;
            return choices.empty() || std::find(choices.begin(), choices.end(), value.word()) != choices.end();
        }
        const double index = value.number();
        if (value.is_bool() || !(index >= 0 && index < static_cast<double>(choices.size())) ||
            index != std::floor(index))
            return false;
        result = choices[static_cast<std::size_t>(index)];
        return true;
    }
    if (value.is_word()) return false;
    const double number = value.number();
    if (option.value.is_bool()) {
        result = number != 0;
        return number == 0 || number == 1;
    }
    if (value.is_bool() || !std::isfinite(number)) return false;
    if (!option.value.is_whole()) {
        result = number;
        return true;
    }
    if (value.is_whole()) {
        result = value;
        return true;
    }
    if (std::abs(number) >= exact_limit || number != std::floor(number)) return false;
    result = static_cast<std::int64_t>(number);
    return true;
}

}  // namespace

OptionValue OptionValue::parse(const std::string& text) {
    if (text == "true") return true;
    if (text == "false") return false;
    std::int64_t whole = 0;
    if (reads(text, whole)) return whole;
    double number = 0;
    if (reads(text, number)) return number;
    return text;
}

std::int64_t OptionValue::whole() const {
    if (const auto* const value = std::get_if<std::int64_t>(&value_)) return *value;
    const double value = number();
    RADIAL_CHECK(std::abs(value) < exact_limit && value == std::floor(value), "{} is not a whole number", value);
    return static_cast<std::int64_t>(value);
}

double OptionValue::number() const {
    if (const auto* const value = std::get_if<double>(&value_)) return *value;
    if (const auto* const value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
    if (const auto* const value = std::get_if<bool>(&value_)) return *value ? 1 : 0;
    throw Error(fmt::format("\"{}\" is not a number", word()));
}

const std::string& OptionValue::word() const {
    const auto* const value = std::get_if<std::string>(&value_);
    RADIAL_CHECK(value != nullptr, "{} is not a word", str());
    return *value;
}

std::string OptionValue::str() const {
    if (is_bool()) return flag() ? "true" : "false";
    return std::visit([](const auto& value) { return fmt::format("{}", value); }, value_);
}

bool OptionValue::operator==(const OptionValue& other) const {
    if (is_number() && other.is_number())
        return is_whole() && other.is_whole() ? whole() == other.whole() : number() == other.number();
    return value_ == other.value_;
}

Settings defaults_of(const std::vector<OptionInfo>& options) {
    Settings defaults;
    for (const OptionInfo& option : options) defaults.emplace(option.name, option.value);
    return defaults;
}

OptionValue convert(std::string_view owner, const OptionInfo& option, const OptionValue& value) {
    OptionValue result = option.value;
    if (converted(option, value, result)) return result;
    const std::string near = value.is_word() ? nearest(value.word(), option.choices) : "";
    throw Error(fmt::format("{}: {} is {}, expected {}{}", owner, option.name, shortened(value.str()),
                            expectation(option), near.empty() ? "" : fmt::format("; did you mean {}?", near)));
}

Settings complete_settings(std::string_view owner, const std::vector<OptionInfo>& options, const Settings& settings) {
    Settings complete = defaults_of(options);
    std::vector<std::string> names;
    std::transform(options.begin(), options.end(), std::back_inserter(names),
                   [](const auto& each) { return each.name; });
    for (const auto& [name, value] : settings) {
        const auto option = std::find_if(options.begin(), options.end(), [&given = name](const auto& o) {
            return o.name == given || (!o.former.empty() && o.former == given);
        });
        if (option != options.end()) {
            complete.insert_or_assign(option->name, convert(owner, *option, value));
            continue;
        }
        RADIAL_CHECK(!names.empty(), "{} has no option \"{}\", nor any other", owner, name);
        throw Error(fmt::format("{} has no option \"{}\"; did you mean {}? Its options are {}", owner, name,
                                nearest(name, names), fmt::join(names, ", ")));
    }
    return complete;
}

}  // namespace radial
