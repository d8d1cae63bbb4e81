// Writes classifiers as ONNX files.
#include "radial/apps/models/onnx_file.h"

#include "radial/onnx/onnx.h"

namespace radial::zoo {

std::int64_t export_classifier(const std::filesystem::path& path, train::OpenedWeights& weights, std::int64_t size) {
    train::Classifier& classifier = weights.classifier;
    std::map<std::string, std::string> metadata = train::to_metadata(weights.notes);
    metadata["model"] = classifier.spec.model;
    metadata["loss"] = classifier.spec.loss;
    const Shape image = train::model_named(classifier.spec.model).image;
    if (size == 0) size = weights.notes.size > 0 ? weights.notes.size : image[1];
    export_onnx(path, classifier, [&classifier](const Tensor& x) { return classifier.logits(x); },
                {image[0], size, size}, {.name = classifier.spec.model, .metadata = std::move(metadata)});
    return size;
}

}  // namespace radial::zoo
