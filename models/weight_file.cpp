// Matching a weight file's tensors with a network's.
#include "radial/models/weight_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <unordered_map>

namespace radial {
namespace {

constexpr std::string_view weight_name = "loss.weight", bias_name = "loss.bias";
constexpr std::string_view counter = "num_batches_tracked", variance = "running_var";
constexpr std::size_t named_problems = 8;  // of a file that does not fit; the number of the rest suffices

using TensorsByName = std::unordered_map<std::string_view, const Tensor*>;

/// A tensor of the network, or of its classifier, and its name in the file.
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

/// The format with whose names the most of the network's tensors are in the file.
std::vector<Wanted> recognised(const TensorFile& file, const TensorsByName& given, const std::filesystem::path& path,
                               const ModelInfo& info, const Layer& model) {
    std::vector<Wanted> best;
    std::vector<std::string_view> tried;
    std::ptrdiff_t most = 0;
    for (const WeightFormat format : weight_formats(info.family)) {
        tried.push_back(name_of(format));
        std::vector<Wanted> wanted = wanted_tensors(info, model, format);
        const auto there = std::count_if(wanted.begin(), wanted.end(),
                                         [&](const Wanted& tensor) { return given.contains(tensor.name); });
        if (there > most) {
            most = there;
            best = std::move(wanted);
        }
    }
    if (most == 0) {
        throw FileError(fmt::format("{}: none of its {} tensors has a name of {} as {} has them{}", path.string(),
                                    file.tensors.size(), info.name, fmt::join(tried, " or "),
                                    file.tensors.empty() ? "" : "; its first is \"" + file.tensors[0].name + "\""));
    }
    return best;
}

/// A classifier's shape is as the file says, as long as it fits the feature and itself.
std::string classifier_problem(const Wanted& weight, const Wanted& bias, const TensorsByName& given, std::int64_t dim) {
    const auto w = given.find(weight.name), b = given.find(bias.name);
    if (w == given.end() || b == given.end()) return "";
    const Shape& shape = w->second->shape();
    if (shape.rank() != 2 || shape[1] != dim || shape[0] < 1)
        return fmt::format("\"{}\" has shape {}, expected [classes, {}]", weight.name, shape.str(), dim);
    if (b->second->shape() != Shape{shape[0]})
        return fmt::format("\"{}\" has shape {}, expected [{}]", bias.name, b->second->shape().str(), shape[0]);
    return "";
}

std::vector<std::string> problems_with(const TensorFile& file, const TensorsByName& given,
                                       const std::vector<Wanted>& wanted, std::int64_t dim) {
    std::vector<std::string> problems;
    std::set<std::string_view> names;
    for (const Wanted& tensor : wanted) {
        names.insert(tensor.name);
        const auto found = given.find(tensor.name);
        if (found == given.end()) {
            problems.push_back(fmt::format("\"{}\" is missing", tensor.name));
        } else if (tensor.target.defined() && found->second->shape() != tensor.target.shape()) {
            problems.push_back(fmt::format("\"{}\" has shape {}, expected {}", tensor.name,
                                           found->second->shape().str(), tensor.target.shape().str()));
        }
    }
    const std::string classifier = classifier_problem(*(wanted.end() - 2), wanted.back(), given, dim);
    if (!classifier.empty()) problems.push_back(classifier);
    for (const NamedTensor& tensor : file.tensors)
        if (!names.contains(tensor.name) && !tensor.name.ends_with(counter))
            problems.push_back(fmt::format("\"{}\" is left over", tensor.name));
    if (problems.size() > named_problems) {
        const std::size_t rest = problems.size() - named_problems;
        problems.resize(named_problems);
        problems.push_back(fmt::format("and {} more", rest));
    }
    return problems;
}

}  // namespace

LinearClassifier read_weights(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                              Layer& model, std::optional<WeightFormat> format) {
    TensorsByName given;
    for (const NamedTensor& tensor : file.tensors) given.emplace(tensor.name, &tensor.tensor);
    const std::vector<Wanted> wanted =
        format.has_value() ? wanted_tensors(info, model, *format) : recognised(file, given, path, info, model);
    const std::vector<std::string> problems = problems_with(file, given, wanted, info.dim);
    if (!problems.empty())
        throw FileError(
            fmt::format("{}: not the weights of {}: {}", path.string(), info.name, fmt::join(problems, "; ")));
    for (const Wanted& tensor : wanted)
        if (tensor.target.defined()) tensor.target.copy_(*given.at(tensor.name));
    return {.weight = *given.at((wanted.end() - 2)->name), .bias = *given.at(wanted.back().name)};
}

LinearClassifier read_weights(const std::filesystem::path& path, const ModelInfo& info, Layer& model,
                              std::optional<WeightFormat> format) {
    return read_weights(read_safetensors(path), path, info, model, format);
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
    if (format != WeightFormat::radial) file.metadata.emplace("format", "pt");  // as safetensors' own writer says
    write_safetensors(path, file);
}

}  // namespace radial
