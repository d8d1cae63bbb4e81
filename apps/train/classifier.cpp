// Builds a classifier from its description, saves it, and loads it.
#include "radial/apps/train/classifier.h"

#include "radial/core/io/safetensors.h"
#include "radial/core/memory/storage.h"
#include "radial/core/util/error.h"
#include "radial/models/registry.h"

#include <charconv>
#include <cmath>

namespace radial::train {
namespace {

constexpr std::string_view model_prefix = "model.", loss_prefix = "loss.";

const std::string& entry(const TensorFile& file, const std::string& key) {
    const auto found = file.metadata.find(key);
    RADIAL_CHECK(found != file.metadata.end(), "no '{}' in its metadata: not a classifier saved by Radial", key);
    return found->second;
}

template <class T>
T number(const TensorFile& file, const std::string& key) {
    const std::string& text = entry(file, key);
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    RADIAL_CHECK(error == std::errc{} && end == text.data() + text.size() && value > T{0},
                 "metadata '{}' is '{}', expected a number above 0", key, text);
    return value;
}

/// Returns the options that the metadata stores under keys that begin with `prefix`. The name of each option is the
/// rest of its key.
Settings settings_in(const TensorFile& file, std::string_view prefix) {
    Settings settings;
    for (const auto& [key, text] : file.metadata)
        if (key.starts_with(prefix)) settings.emplace(key.substr(prefix.size()), OptionValue::parse(text));
    return settings;
}

ClassifierSpec read_spec(const TensorFile& file) {
    return {.model = entry(file, "model"),
            .model_settings = settings_in(file, model_prefix),
            .dim = number<std::int64_t>(file, "dim"),
            .loss = entry(file, "loss"),
            .loss_settings = settings_in(file, loss_prefix),
            .classes = number<std::int64_t>(file, "classes")};
}

/// Returns an upper bound, in bytes, on the memory for building a classifier with the file's tensors: the tensors
/// themselves and temporaries.
std::size_t bytes_for(const TensorFile& file) {
    std::size_t bytes = std::size_t{64} << 20U;
    for (const NamedTensor& named : file.tensors) bytes += 4 * named.tensor.bytes();
    return bytes;
}

/// Throws Error when the number of classes, the feature dimension or an option is too large for any classifier with the
/// file's tensors.
void check_spec(const ClassifierSpec& spec, const TensorFile& file) {
    std::int64_t numbers = 0;
    for (const NamedTensor& named : file.tensors) numbers += named.tensor.numel();
    RADIAL_CHECK(spec.classes <= numbers && spec.dim <= numbers,
                 "{} classes and {} dimensions are too many for tensors of {} numbers", spec.classes, spec.dim,
                 numbers);
    constexpr double most = 1e9;
    for (const auto* const settings : {&spec.model_settings, &spec.loss_settings})
        for (const auto& [name, value] : *settings)
            RADIAL_CHECK(!value.is_number() || std::abs(value.number()) <= most, "option '{}' is {}", name,
                         value.str());
}

/// Returns the tensors whose names begin with `prefix`, without the prefix in their names.
std::vector<NamedTensor> part(const TensorFile& file, std::string_view prefix) {
    std::vector<NamedTensor> tensors;
    for (const NamedTensor& named : file.tensors)
        if (named.name.starts_with(prefix)) tensors.push_back({named.name.substr(prefix.size()), named.tensor});
    return tensors;
}

}  // namespace

const ModelInfo& model_named(const std::string& name) { return model_registry().at(name); }

Classifier::Classifier(std::shared_ptr<Layer> network, std::shared_ptr<Loss> its_loss, ClassifierSpec description)
    : model(std::move(network)), loss(std::move(its_loss)), spec(std::move(description)) {
    RADIAL_CHECK(model != nullptr && loss != nullptr, "Classifier: has no {}", model == nullptr ? "model" : "loss");
    register_module("model", model);
    register_module("loss", loss);
}

Tensor Classifier::forward(const Tensor& images, const Tensor& targets) {
    return loss->forward(model->forward(images), targets);
}

Tensor Classifier::logits(const Tensor& images) { return loss->logits(model->forward(images)); }

Classifier build_classifier(const ClassifierSpec& spec) {
    std::shared_ptr<Layer> model = make_model(model_named(spec.model), spec.dim, spec.model_settings);
    return {std::move(model), make_loss(spec.loss, spec.classes, spec.dim, spec.loss_settings), spec};
}

TensorFile classifier_file(const Classifier& classifier, const std::map<std::string, std::string>& notes) {
    TensorFile file{.tensors = classifier.state(), .metadata = notes};
    const ClassifierSpec& spec = classifier.spec;
    if (spec.model.empty()) return file;
    file.metadata["model"] = spec.model;
    file.metadata["dim"] = fmt::format("{}", spec.dim);
    file.metadata["loss"] = spec.loss;
    file.metadata["classes"] = fmt::format("{}", spec.classes);
    for (const auto& [name, value] : spec.model_settings) file.metadata["model." + name] = value.str();
    for (const auto& [name, value] : spec.loss_settings) file.metadata["loss." + name] = value.str();
    return file;
}

void save_classifier(const std::filesystem::path& path, const Classifier& classifier,
                     const std::map<std::string, std::string>& notes) {
    write_safetensors(path, classifier_file(classifier, notes), Checksum::added);
}

void load_weights(const std::filesystem::path& path, Classifier& classifier) {
    const TensorFile file = read_safetensors(path);
    try {
        classifier.load_state(file.tensors);
    } catch (const Error& error) {
        throw FileError(fmt::format("{}: {}", path.string(), error.what()));
    }
}

Classifier load_classifier(const std::filesystem::path& path) { return load_classifier(read_safetensors(path), path); }

Classifier load_classifier(const TensorFile& file, const std::filesystem::path& path) {
    try {
        const ClassifierSpec spec = read_spec(file);
        check_spec(spec, file);
        const MemoryLimit limit(bytes_for(file));
        Classifier classifier = build_classifier(spec);
        classifier.model->load_state(part(file, model_prefix));
        classifier.loss->load_state(part(file, loss_prefix));
        check_finite(file, path);
        return classifier;
    } catch (const FileError&) {
        throw;
    } catch (const std::exception& error) {
        throw FileError(fmt::format("{}: {}", path.string(), error.what()));
    }
}

}  // namespace radial::train
