// Weight files: the tensor names of each format, the matching of a file with a network, reading and writing.
#include "radial/models/weight_file.h"

#include "radial/core/tensor/random.h"
#include "radial/core/util/text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <unordered_map>
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

/// Rules for a format in which only the names of the classifier differ.
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
    std::string_view text;  ///< of {x}
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

constexpr std::string_view weight_name = "loss.weight", bias_name = "loss.bias";
constexpr std::string_view counter = "num_batches_tracked", variance = "running_var";
constexpr std::array<std::string_view, 2> wrappers = {"module.", "_orig_mod."};  // DataParallel's, torch.compile()'s

/// The tensors of a file, by the names that the newest version of the library uses.
struct Given {
    std::string wrapper;  ///< prefix of every name in the file
    std::unordered_map<std::string, const NamedTensor*> tensors{};
};

std::string wrapper_of(const TensorFile& file) {
    std::string found;
    for (bool again = !file.tensors.empty(); again;) {
        again = false;
        for (const std::string_view wrapper : wrappers) {
            const std::string longer = found + std::string(wrapper);
            if (!std::ranges::all_of(file.tensors, [&](const auto& t) { return t.name.starts_with(longer); })) continue;
            found = longer;
            again = true;
        }
    }
    return found;
}

/// If two tensors get the same name, the first one is used and the other will be left over.
Given given_tensors(const TensorFile& file, std::string_view family, WeightFormat format) {
    Given given{.wrapper = wrapper_of(file)};
    for (const NamedTensor& tensor : file.tensors) {
        const std::string_view name = std::string_view(tensor.name).substr(given.wrapper.size());
        given.tensors.emplace(newest_name(family, format, name), &tensor);
    }
    return given;
}

/// A tensor of the network or of its classifier, and its name in the file's format.
struct Wanted {
    std::string name;
    Tensor target;  ///< undefined for the classifier
};

std::string name_in(const ModelInfo& info, WeightFormat format, const std::string& name) {
    const auto found = exported_name(info.family, format, name);
    RADIAL_CHECK(found.has_value(), "{}: {} has no name for its tensor \"{}\"", info.name, name_of(format), name);
    return *found;
}

std::vector<Wanted> wanted_tensors(const ModelInfo& info, const Layer& model, WeightFormat format) {
    std::vector<Wanted> wanted;
    for (const auto& [name, tensor] : model.state()) wanted.push_back({name_in(info, format, "model." + name), tensor});
    for (const std::string_view name : {weight_name, bias_name})
        wanted.push_back({name_in(info, format, std::string(name)), {}});
    return wanted;
}

/// A format, and the file's and the network's tensors by their names in it.
struct Match {
    WeightFormat format = WeightFormat::radial;
    Given given;
    std::vector<Wanted> wanted;
};

Match match(const TensorFile& file, const ModelInfo& info, const Layer& model, WeightFormat format) {
    return {format, given_tensors(file, info.family, format), wanted_tensors(info, model, format)};
}

Match match(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info, const Layer& model,
            std::optional<WeightFormat> wanted) {
    if (wanted.has_value()) return match(file, info, model, *wanted);
    Match best;
    std::vector<std::string_view> tried;
    std::ptrdiff_t most = 0;
    for (const WeightFormat format : weight_formats(info.family)) {
        tried.push_back(name_of(format));
        Match tried_now = match(file, info, model, format);
        const auto there = std::count_if(tried_now.wanted.begin(), tried_now.wanted.end(), [&](const Wanted& tensor) {
            return tried_now.given.tensors.contains(tensor.name);
        });
        if (there <= most) continue;
        most = there;
        best = std::move(tried_now);
    }
    if (most == 0) {
        throw FileError(fmt::format("{}: none of its {} tensors has a name of {} as {} has them{}", path.string(),
                                    file.tensors.size(), info.name, fmt::join(tried, " or "),
                                    file.tensors.empty() ? "" : "; its first is \"" + file.tensors[0].name + "\""));
    }
    return best;
}

/// Describes a problem with the classifier's shapes, or "". Any number of classes is valid, as long as weight and bias
/// agree and the weight matches the feature dimension.
std::string classifier_problem(const Match& match, std::int64_t dim) {
    const auto& tensors = match.given.tensors;
    const auto w = tensors.find((match.wanted.end() - 2)->name), b = tensors.find(match.wanted.back().name);
    if (w == tensors.end() || b == tensors.end()) return "";
    const Shape& shape = w->second->tensor.shape();
    if (shape.rank() != 2 || shape[1] != dim || shape[0] < 1)
        return fmt::format("\"{}\" has shape {}, expected [classes, {}]", w->second->name, shape.str(), dim);
    if (b->second->tensor.shape() != Shape{shape[0]})
        return fmt::format("\"{}\" has shape {}, expected [{}]", b->second->name, b->second->tensor.shape().str(),
                           shape[0]);
    return "";
}

std::vector<std::string> problems_with(const TensorFile& file, const Match& match, std::int64_t dim) {
    std::vector<std::string> misshapen, missing, left;
    std::set<const NamedTensor*> used;
    for (const Wanted& tensor : match.wanted) {
        const auto found = match.given.tensors.find(tensor.name);
        if (found == match.given.tensors.end()) {
            missing.push_back(fmt::format("\"{}{}\" is missing", match.given.wrapper, tensor.name));
            continue;
        }
        const auto& [name, there] = *found->second;
        used.insert(found->second);
        if (tensor.target.defined() && there.shape() != tensor.target.shape())
            misshapen.push_back(fmt::format("\"{}\" has shape {}, expected {}", name, there.shape().str(),
                                            tensor.target.shape().str()));
    }
    if (std::string problem = classifier_problem(match, dim); !problem.empty()) misshapen.push_back(std::move(problem));
    for (const NamedTensor& tensor : file.tensors)
        if (!used.contains(&tensor) && !tensor.name.ends_with(counter))
            left.push_back(fmt::format("\"{}\" is left over", shortened(tensor.name)));
    std::vector<std::string> problems = first_of(std::move(misshapen), "have another shape");
    for (std::string& problem : first_of(std::move(missing), "are missing")) problems.push_back(std::move(problem));
    for (std::string& problem : first_of(std::move(left), "are left over")) problems.push_back(std::move(problem));
    return problems;
}

/// Copies the tensors into the network, or throws and leaves the network unchanged.
LinearClassifier take(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                      const Match& match) {
    const std::vector<std::string> problems = problems_with(file, match, info.dim);
    if (!problems.empty())
        throw FileError(
            fmt::format("{}: not the weights of {}: {}", path.string(), info.name, fmt::join(problems, "; ")));
    check_finite(file, path);
    const auto given = [&](const Wanted& tensor) { return match.given.tensors.at(tensor.name)->tensor; };
    for (const Wanted& tensor : match.wanted)
        if (tensor.target.defined()) tensor.target.copy_(given(tensor));
    return {.weight = given(*(match.wanted.end() - 2)), .bias = given(match.wanted.back())};
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

LinearClassifier read_weights(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                              Layer& model, std::optional<WeightFormat> format) {
    return take(file, path, info, match(file, path, info, model, format));
}

LinearClassifier read_weights(const std::filesystem::path& path, const ModelInfo& info, Layer& model,
                              std::optional<WeightFormat> format) {
    return read_weights(read_safetensors(path), path, info, model, format);
}

ReadNetwork read_network(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                         std::optional<WeightFormat> format) {
    const SkipRandomFill skip;  // initial weights would be overwritten
    ReadNetwork network{.settings = model_settings(info), .model = make_model(info, info.dim), .classifier = {}};
    Match found = match(file, path, info, *network.model, format);
    const ModelSettings settings = weight_settings(info, found.format);
    if (!settings.empty()) {
        network.settings = model_settings(info, settings);
        network.model = make_model(info, info.dim, settings);
        found.wanted = wanted_tensors(info, *network.model, found.format);
    }
    network.classifier = take(file, path, info, found);
    return network;
}

ReadNetwork read_network(const std::filesystem::path& path, const ModelInfo& info, std::optional<WeightFormat> format) {
    return read_network(read_safetensors(path), path, info, format);
}

void write_weights(const std::filesystem::path& path, const ModelInfo& info, const Layer& model,
                   const LinearClassifier& classifier, WeightFormat format,
                   const std::map<std::string, std::string>& metadata) {
    TensorFile file{.tensors = {}, .metadata = metadata};
    const auto add = [&](const std::string& name, const Tensor& tensor) {
        file.tensors.push_back({name_in(info, format, name), tensor});
        if (format == WeightFormat::radial || !name.ends_with(variance)) return;
        std::string count = file.tensors.back().name;
        count.replace(count.size() - variance.size(), variance.size(), counter);
        file.tensors.push_back({std::move(count), Tensor::zeros({}, DType::int64, Device{})});
    };
    for (const auto& [name, tensor] : model.state()) add("model." + name, tensor);
    add(std::string(weight_name), classifier.weight);
    add(std::string(bias_name), classifier.bias);
    if (format != WeightFormat::radial) file.metadata.emplace("format", "pt");  // as safetensors' own writer does
    write_safetensors(path, file);
}

}  // namespace radial
