// The tables of names, and the patterns that they are made of.
#include "radial/models/weight_names.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace radial {
namespace {

/// One family in one format: of the rules that fit a name, the first counts.
struct Naming {
    std::string_view family;
    WeightFormat format;
    std::vector<NameRule> rules;
    std::vector<NameRule> older{};  ///< names in its files: as they are now, and as they were
};

/// Where a network's names are the same and only the classifier lies elsewhere.
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
             // The first stage does not expand its channels and has one convolution less.
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

/// The next part of a pattern: literal text, or a place with its letter and what is added to its number.
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

/// What stands in a pattern's places.
struct Places {
    std::map<char, std::int64_t> numbers;
    std::string_view text;  ///< of {x}
};

/// Takes the part off the front of `name`; false when it is not there.
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

ModelSettings weight_settings(const ModelInfo& info, WeightFormat format) {
    const bool from_tensorflow =
        info.name == "efficientnet-b5" || info.name == "efficientnet-b6" || info.name == "efficientnet-b7";
    if (format != WeightFormat::torchvision || !from_tensorflow) return {};
    return {{"norm-epsilon", 1e-3}, {"norm-momentum", 0.01}};
}

}  // namespace radial
