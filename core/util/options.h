// Options declared as fields of a struct, and the same options by name, for command lines and files.
#pragma once

#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace radial {

/// The value of an option that is given by name: a bool, a number or a word.
class OptionValue {
public:
    ///@{
    /// A value of this type; false by default.
    OptionValue() = default;
    OptionValue(bool value) : value_(value) {}
    template <std::integral T>
    requires(!std::same_as<T, bool>) OptionValue(T value) : value_(static_cast<std::int64_t>(value)) {}
    template <std::floating_point T>
    OptionValue(T value) : value_(static_cast<double>(value)) {}
    OptionValue(std::string word) : value_(std::move(word)) {}
    OptionValue(const char* word) : value_(std::string(word)) {}
    ///@}

    /// Reads "true" or "false", a number ("3", "1e-4"), or a word, which is anything else.
    static OptionValue parse(const std::string& text);

    ///@{
    /// Whether the value is of this type. A number is whole or real.
    bool is_bool() const { return std::holds_alternative<bool>(value_); }
    bool is_whole() const { return std::holds_alternative<std::int64_t>(value_); }
    bool is_number() const { return is_whole() || std::holds_alternative<double>(value_); }
    bool is_word() const { return std::holds_alternative<std::string>(value_); }
    ///@}

    ///@{
    /// The value as this type. true and false are also the numbers 1 and 0, and a number is true unless it is 0. Throws
    /// Error for a word that is read as a number or vice versa, and for a number with a fraction that is read as
    /// whole().
    bool flag() const { return number() != 0; }
    std::int64_t whole() const;
    double number() const;
    const std::string& word() const;
    ///@}

    /// The text that parse() reads as the same value.
    std::string str() const;
    /// Two numbers are equal if their values are, whatever their types: 1 equals 1.0. A bool equals only a bool, and a
    /// word only a word.
    bool operator==(const OptionValue& other) const;

    ///@{
    /// Conversion to and from JSON: true, 3, 0.5 or "word". nlohmann::json finds these functions by their names.
    template <class Json>
    friend void to_json(Json& json, const OptionValue& value) {
        std::visit([&json](const auto& held) { json = held; }, value.value_);
    }
    template <class Json>
    friend void from_json(const Json& json, OptionValue& value) {
        if (json.is_boolean())
            value = json.template get<bool>();
        else if (json.is_number_integer())
            value = json.template get<std::int64_t>();
        else if (json.is_number())
            value = json.template get<double>();
        else
            value = json.template get<std::string>();
    }
    ///@}

private:
    std::variant<bool, std::int64_t, double, std::string> value_;
};

/// Options by name. Those not given keep their defaults.
using Settings = std::map<std::string, OptionValue>;

/// One option of a loss, a network or a program.
struct OptionInfo {
    std::string name;                    ///< as on the command line: "margin"
    OptionValue value;                   ///< the default; its type is that of the option
    std::string text{};                  ///< what the option does, in one line
    std::vector<std::string> choices{};  ///< the permitted words if the option is a word; empty: any word
    std::string former{};                ///< its name in earlier versions, which is still accepted; empty: none
};

/// The defaults of `options`.
Settings defaults_of(const std::vector<OptionInfo>& options);

/// Returns `value` converted to the type of the option. A whole number is accepted as a real number, 0 and 1 as false
/// and true, and a number as the word with that index. Throws Error, naming `owner`, the option, the value and what was
/// expected, for any other value, and for a number that is not finite.
OptionValue convert(std::string_view owner, const OptionInfo& option, const OptionValue& value);

/// Visits the options of a struct in order: visit(name, member, text). The struct lists them in a static member
/// function
///
///     template <class Self, class Visit>
///     static void fields(Self& self, Visit&& visit) {
///         visit("margin", self.margin, "subtracted from the logit of the true class");
///     }
///
/// from which the names on a command line and in files, the defaults and the help are derived. A member is a bool, a
/// std::int64_t, an int, a double, or an enum for whose values words_of() gives words. Structs that only become flags
/// of a program may have members of other types, such as texts, paths and vectors, and pass the limits of numbers to
/// visit().
template <class Options, class Visit>
void fields(Options& options, Visit&& visit) {
    std::remove_const_t<Options>::fields(options, visit);
}

/// The words for the values of an enum, in order from 0. Calls words_of(E{}), found by argument-dependent lookup.
template <class E>
std::vector<std::string> option_words() {
    std::vector<std::string> words;
    for (const std::string_view word : words_of(E{})) words.emplace_back(word);
    return words;
}

/// A member of an options struct as an OptionValue; an enum becomes its word.
template <class T>
OptionValue option_value(const T& member) {
    if constexpr (std::is_enum_v<T>)
        return option_words<T>().at(static_cast<std::size_t>(member));
    else
        return member;
}

/// Descriptions of the fields of `defaults`; see fields().
template <class Options>
std::vector<OptionInfo> describe_options(const Options& defaults = {}) {
    std::vector<OptionInfo> all;
    fields(defaults, [&all]<class T>(std::string_view name, const T& member, std::string_view text) {
        OptionInfo info{std::string(name), option_value(member), std::string(text)};
        if constexpr (std::is_enum_v<T>) info.choices = option_words<T>();
        all.push_back(std::move(info));
    });
    return all;
}

/// Sets the fields of `options` that are named in `settings`. Names that are not fields are ignored. Throws as
/// convert() does.
template <class Options>
void read_settings(std::string_view owner, const Settings& settings, Options& options) {
    fields(options, [&]<class T>(std::string_view name, T& member, std::string_view text) {
        const auto given = settings.find(std::string(name));
        if (given == settings.end()) return;
        OptionInfo info{std::string(name), option_value(member), std::string(text)};
        if constexpr (std::is_enum_v<T>) info.choices = option_words<T>();
        const OptionValue value = convert(owner, info, given->second);
        if constexpr (std::is_enum_v<T>) {
            for (std::size_t i = 0; i < info.choices.size(); ++i)
                if (info.choices[i] == value.word()) member = static_cast<T>(i);
        } else if constexpr (std::same_as<T, bool>) {
            member = value.flag();
        } else if constexpr (std::integral<T>) {
            member = static_cast<T>(value.whole());
        } else {
            member = value.number();
        }
    });
}

/// All `options` with the values that `settings` gives them, each in its type. Throws Error for a name that is not an
/// option, suggesting the nearest, and as convert() does.
Settings complete_settings(std::string_view owner, const std::vector<OptionInfo>& options, const Settings& settings);

}  // namespace radial

/// @cond
/// Formats an OptionValue as OptionValue::str() does.
template <>
struct fmt::formatter<radial::OptionValue> : fmt::formatter<std::string> {
    template <class Context>
    auto format(const radial::OptionValue& value, Context& context) const {
        return fmt::formatter<std::string>::format(value.str(), context);
    }
};
/// @endcond
