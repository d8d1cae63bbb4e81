// The tables of tensor names for each family of networks and format, and the patterns in them.
#include "radial/models/weight_names.h"

#include "radial/core/util/error.h"

#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <map>
#include <utility>

namespace radial {
namespace {

/// The naming rules of one family in one format. The first rule that matches a name is used.
struct Naming {
    std::string_view family;
    WeightFormat format;
    std::vector<NameRule> rules;
    std::vector<NameRule> older{};  ///< current names, and the older names in the library's files
};

/// Rules for a format in which, apart from the prefix "model.", only the names of the classifier differ from Radial's.
std::vector<NameRule> same_but(std::string_view classifier) { return {{"loss.{x}", classifier}, {"model.{x}", "{x}"}}; }

const std::vector<Naming>& table() {
    using enum WeightFormat;
    static const std::vector<Naming> namings = {
        {"resnet", torchvision, same_but("fc.{x}")},
        {"vgg", torchvision, same_but("classifier.6.{x}")},
        {"densenet",
         torchvision,
         same_but("classifier.{x}"),
         {{"features.denseblock{b}.denselayer{l}.norm{n}.{x}", "features.denseblock{b}.denselayer{l}.norm.{n}.{x}"},
          {"features.denseblock{b}.denselayer{l}.conv{n}.{x}", "features.denseblock{b}.denselayer{l}.conv.{n}.{x}"}}},
        {"mobilenetv3", torchvision, same_but("classifier.3.{x}")},
        {"regnet", torchvision, same_but("fc.{x}")},
        {"regnet",
         timm,
         {
             {"loss.{x}", "head.fc.{x}"},
             {"model.stem.0.{x}", "stem.conv.{x}"},
             {"model.stem.1.{x}", "stem.bn.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.proj.0.{x}", "s{s}.b{i+1}.downsample.conv.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.proj.1.{x}", "s{s}.b{i+1}.downsample.bn.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.f.a.0.{x}", "s{s}.b{i+1}.conv1.conv.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.f.a.1.{x}", "s{s}.b{i+1}.conv1.bn.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.f.b.0.{x}", "s{s}.b{i+1}.conv2.conv.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.f.b.1.{x}", "s{s}.b{i+1}.conv2.bn.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.f.se.{x}", "s{s}.b{i+1}.se.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.f.c.0.{x}", "s{s}.b{i+1}.conv3.conv.{x}"},
             {"model.trunk_output.block{s}.block{s}-{i}.f.c.1.{x}", "s{s}.b{i+1}.conv3.bn.{x}"},
         }},
        {"efficientnet", timm, same_but("classifier.{x}")},
        {"tf-efficientnet", timm, same_but("classifier.{x}")},
        {"efficientnet",
         torchvision,
         {
             {"loss.{x}", "classifier.1.{x}"},
             {"model.conv_stem.{x}", "features.0.0.{x}"},
             {"model.bn1.{x}", "features.0.1.{x}"},
             {"model.conv_head.{x}", "features.8.0.{x}"},
             {"model.bn2.{x}", "features.8.1.{x}"},
             // The first stage does not expand its channels, so it has one convolution less.
             {"model.blocks.0.{i}.conv_dw.{x}", "features.1.{i}.block.0.0.{x}"},
             {"model.blocks.0.{i}.bn1.{x}", "features.1.{i}.block.0.1.{x}"},
             {"model.blocks.0.{i}.se.conv_reduce.{x}", "features.1.{i}.block.1.fc1.{x}"},
             {"model.blocks.0.{i}.se.conv_expand.{x}", "features.1.{i}.block.1.fc2.{x}"},
             {"model.blocks.0.{i}.conv_pw.{x}", "features.1.{i}.block.2.0.{x}"},
             {"model.blocks.0.{i}.bn2.{x}", "features.1.{i}.block.2.1.{x}"},
             {"model.blocks.{s}.{i}.conv_pw.{x}", "features.{s+1}.{i}.block.0.0.{x}"},
             {"model.blocks.{s}.{i}.bn1.{x}", "features.{s+1}.{i}.block.0.1.{x}"},
             {"model.blocks.{s}.{i}.conv_dw.{x}", "features.{s+1}.{i}.block.1.0.{x}"},
             {"model.blocks.{s}.{i}.bn2.{x}", "features.{s+1}.{i}.block.1.1.{x}"},
             {"model.blocks.{s}.{i}.se.conv_reduce.{x}", "features.{s+1}.{i}.block.2.fc1.{x}"},
             {"model.blocks.{s}.{i}.se.conv_expand.{x}", "features.{s+1}.{i}.block.2.fc2.{x}"},
             {"model.blocks.{s}.{i}.conv_pwl.{x}", "features.{s+1}.{i}.block.3.0.{x}"},
             {"model.blocks.{s}.{i}.bn3.{x}", "features.{s+1}.{i}.block.3.1.{x}"},
         }},
    };
    return namings;
}

constexpr std::array all_formats = {WeightFormat::radial, WeightFormat::torchvision, WeightFormat::timm};

const Naming* find_naming(std::string_view family, WeightFormat format) {
    for (const Naming& naming : table())
        if (naming.family == family && naming.format == format) return &naming;
    return nullptr;
}

const std::vector<NameRule>& rules_of(std::string_view family, WeightFormat format) {
    static const std::vector<NameRule> own = {{"{x}", "{x}"}};
    if (format == WeightFormat::radial) return own;
    const Naming* const naming = find_naming(family, format);
    RADIAL_CHECK(naming != nullptr, "weights of the family {} have no format {}", family, name_of(format));
    return naming->rules;
}

/// The next part of a pattern: literal text, or a placeholder with its letter and the number added to its value.
struct Part {
    std::string_view literal;
    char letter = 0;
    std::int64_t added = 0;
};

Part next_part(std::string_view& pattern) {
    const auto brace = pattern.find('{');
    if (brace != 0) {
        const std::string_view literal = pattern.substr(0, brace);
        pattern.remove_prefix(literal.size());
        return {.literal = literal};
    }
    Part part{.literal = {}, .letter = pattern[1]};
    const auto end = pattern.find('}');
    if (pattern[2] == '+') std::from_chars(pattern.data() + 3, pattern.data() + end, part.added);
    pattern.remove_prefix(end + 1);
    return part;
}

/// The values of a pattern's placeholders.
struct Places {
    std::map<char, std::int64_t> numbers;
    std::string_view text;  ///< the text that {x} matched
};

/// Removes the part from the front of `name`; returns false when `name` does not begin with it.
bool take(const Part& part, std::string_view& name, Places& places) {
    if (part.letter == 0) {
        if (!name.starts_with(part.literal)) return false;
        name.remove_prefix(part.literal.size());
    } else if (part.letter == 'x') {
        places.text = std::exchange(name, {});
        return !places.text.empty();
    } else {
        std::int64_t number = -1;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error != std::errc{} || number < part.added) return false;
        places.numbers[part.letter] = number - part.added;
        name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    }
    return true;
}

}  // namespace

std::optional<std::string> renamed(std::string_view name, std::string_view from, std::string_view to) {
    Places places;
    while (!from.empty())
        if (!take(next_part(from), name, places)) return std::nullopt;
    if (!name.empty()) return std::nullopt;
    std::string result;
    while (!to.empty()) {
        const Part part = next_part(to);
        if (part.letter == 0) {
            result += part.literal;
        } else if (part.letter == 'x') {
            result += places.text;
        } else {
            result += fmt::format("{}", places.numbers.at(part.letter) + part.added);
        }
    }
    return result;
}

std::string_view name_of(WeightFormat format) {
    switch (format) {
        case WeightFormat::torchvision:
            return "torchvision";
        case WeightFormat::timm:
            return "timm";
        default:
            return "radial";
    }
}

WeightFormat parse_weight_format(std::string_view name) {
    std::vector<std::string_view> names;
    for (const WeightFormat format : all_formats) {
        names.push_back(name_of(format));
        if (names.back() == name) return format;
    }
    throw Error(fmt::format("unknown weight format '{}', expected one of {}", name, fmt::join(names, ", ")));
}

std::vector<WeightFormat> weight_formats(std::string_view family) {
    std::vector<WeightFormat> formats;
    for (const WeightFormat format : all_formats)
        if (format == WeightFormat::radial || find_naming(family, format) != nullptr) formats.push_back(format);
    return formats;
}

std::optional<std::string> exported_name(std::string_view family, WeightFormat format, std::string_view name) {
    for (const NameRule& rule : rules_of(family, format))
        if (auto found = renamed(name, rule.radial, rule.other)) return found;
    return std::nullopt;
}

std::optional<std::string> imported_name(std::string_view family, WeightFormat format, std::string_view name) {
    const std::string newest = newest_name(family, format, name);
    for (const NameRule& rule : rules_of(family, format))
        if (auto found = renamed(newest, rule.other, rule.radial)) return found;
    return std::nullopt;
}

std::string newest_name(std::string_view family, WeightFormat format, std::string_view name) {
    if (const Naming* const naming = find_naming(family, format))
        for (const auto& [now, before] : naming->older)
            if (auto found = renamed(name, before, now)) return *found;
    return std::string(name);
}

}  // namespace radial
