// Writes classifiers as ONNX files.
#include "radial/apps/models/onnx_file.h"

#include "radial/onnx/onnx.h"

#include <nlohmann/json.hpp>

namespace radial::zoo {
namespace {

std::map<std::string, std::string> notes_of(const train::OpenedWeights& weights) {
    const train::ClassifierSpec& spec = weights.classifier.spec;
    std::map<std::string, std::string> notes = {{"model", spec.model}, {"loss", spec.loss}};
    const auto add = [&notes](const char* name, const auto& list) {
        if (!list.empty()) notes.emplace(name, nlohmann::json(list).dump());
    };
    add("class_names", weights.notes.class_names);
    add("mean", weights.notes.mean);
    add("std", weights.notes.std);
    return notes;
}

}  // namespace

std::int64_t export_classifier(const std::filesystem::path& path, train::OpenedWeights& weights, std::int64_t size) {
    train::Classifier& classifier = weights.classifier;
    const Shape image = train::model_named(classifier.spec.model).image;
    if (size == 0) size = weights.notes.size > 0 ? weights.notes.size : image[1];
    export_onnx(path, classifier, [&classifier](const Tensor& x) { return classifier.logits(x); },
                {image[0], size, size}, {.name = classifier.spec.model, .metadata = notes_of(weights)});
    return size;
}

}  // namespace radial::zoo
