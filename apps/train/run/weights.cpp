// Chooses how to read a weight file, and converts classifiers for other libraries.
#include "radial/apps/train/run/weights.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"
#include "radial/models/weight_file.h"

#include <optional>

namespace radial::train {
namespace {

/// Builds a classifier from a weight file that does not describe it: the network `info`, and a softmax loss with the
/// file's number of classes.
Classifier described_by_name(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                             std::optional<WeightFormat> format) {
    ReadNetwork network = read_network(file, path, info, format);
    const auto& [weight, bias] = network.classifier;
    std::shared_ptr<Loss> loss = make_loss("softmax", weight.size(0), info.dim);
    loss->load_state({{"weight", weight}, {"bias", bias}});
    return {std::move(network.model),
            std::move(loss),
            {.model = info.name,
             .model_settings = network.settings,
             .dim = info.dim,
             .loss = "softmax",
             .loss_settings = loss_settings("softmax"),
             .classes = weight.size(0)}};
}

/// Returns a copy of the classifier's network for `format`. If the batch norms of that format have another epsilon,
/// which files do not record, the weights of the norms are scaled to compensate, so that the results in evaluation are
/// the same.
std::unique_ptr<Layer> as_in(WeightFormat format, const ModelInfo& info, const Classifier& classifier) {
    const std::string key = "norm-epsilon";
    const SkipRandomFill skip;
    std::unique_ptr<Layer> model = make_model(info, classifier.spec.dim, classifier.spec.model_settings);
    model->load_state(classifier.model->state());
    if (!info.defaults().contains(key)) return model;
    const double own = model_settings(info, classifier.spec.model_settings).at(key).number();
    const double theirs = model_settings(info, weight_settings(info, format)).at(key).number();
    if (own == theirs) return model;
    const NoGrad no_grad;
    std::map<std::string, Tensor> tensors;
    for (const auto& [name, tensor] : model->state()) tensors.emplace(name, tensor);
    constexpr std::string_view variance = "running_var";
    for (const auto& [name, tensor] : tensors) {
        if (!name.ends_with(variance)) continue;
        const Tensor weight = tensors.at(name.substr(0, name.size() - variance.size()) + "weight").detach();
        weight.copy_(weight * sqrt((tensor + theirs) / (tensor + own)));
    }
    return model;
}

}  // namespace

OpenedWeights open_weights(const std::filesystem::path& path, const std::string& model, const std::string& format) {
    const std::optional<WeightFormat> wanted =
        format.empty() ? std::nullopt : std::optional(parse_weight_format(format));
    const ModelInfo* const info = model.empty() ? nullptr : &model_named(model);
    const TensorFile file = read_safetensors(path);
    const auto fail = [&path](const std::string& message) { throw FileError(path.string() + ": " + message); };
    const SkipRandomFill skip;  // the initial weights are overwritten
    OpenedWeights opened;
    try {
        opened.notes = input_notes(file.metadata);
    } catch (const Error& error) {
        fail(error.what());
    }
    const auto said = file.metadata.find("model");
    const bool is_checkpoint = said != file.metadata.end() && file.metadata.contains("loss");
    if (is_checkpoint && info != nullptr && said->second != info->name)
        fail(fmt::format("holds {}, not {}", said->second, info->name));
    if (is_checkpoint && wanted.value_or(WeightFormat::radial) == WeightFormat::radial) {
        opened.classifier = load_classifier(file, path);
    } else {
        if (info == nullptr) fail("does not say which network's weights it holds: give --model NAME");
        opened.classifier = described_by_name(file, path, *info, wanted);
    }
    const auto names = static_cast<std::int64_t>(opened.notes.class_names.size());
    if (names != 0 && names != opened.classifier.spec.classes)
        fail(fmt::format("names {} classes, has {}", names, opened.classifier.spec.classes));
    return opened;
}

void export_weights(const std::filesystem::path& path, const OpenedWeights& weights, WeightFormat format) {
    const Classifier& classifier = weights.classifier;
    if (format == WeightFormat::radial) {
        save_classifier(path, classifier, to_metadata(weights.notes));
        return;
    }
    const ModelInfo& info = model_named(classifier.spec.model);
    const std::vector<NamedTensor> head = classifier.loss->state();
    RADIAL_CHECK(classifier.spec.loss == "softmax" && head.size() == 2 && head[1].name == "bias",
                 "{}: has no format for the loss {}, only for softmax with a bias", name_of(format),
                 classifier.spec.loss);
    const std::unique_ptr<Layer> model = as_in(format, info, classifier);
    write_weights(path, info, *model, {.weight = head[0].tensor, .bias = head[1].tensor}, format,
                  to_metadata(weights.notes));
}

}  // namespace radial::train
