// Weight files: the matching of a file with a network, reading and writing.
#include "radial/models/weight_file.h"

#include "radial/core/tensor/random.h"
#include "radial/core/util/text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace radial {
namespace {

constexpr std::string_view weight_name = "loss.weight", bias_name = "loss.bias";
constexpr std::string_view counter = "num_batches_tracked", variance = "running_var";
constexpr std::array<std::string_view, 2> wrappers = {"module.", "_orig_mod."};  // of DataParallel and torch.compile()

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

/// If two tensors get the same name, the first one is used, and the other is later reported as left over.
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

/// A format, and the tensors of the file and of the network by their names in this format.
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

/// Returns a description of the problem with the classifier's shapes, or "" if there is none. Any number of classes is
/// valid, as long as weight and bias agree and the weight matches the feature dimension.
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
