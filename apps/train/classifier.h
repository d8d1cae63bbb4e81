// A network and its loss as one module, and the safetensors file that says by itself how to rebuild it.
#pragma once

#include "radial/core/io/safetensors.h"
#include "radial/core/nn/module.h"
#include "radial/losses/loss.h"
#include "radial/models/registry.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace radial::train {

/// How to build a network and its loss.
struct ClassifierSpec {
    std::string model = "lenetpp";
    ModelSettings model_settings{};
    std::int64_t dim = 32;
    std::string loss = "rbf-softmax";
    LossSettings loss_settings{};
    std::int64_t classes = 10;
};

/// A network that ends in a feature, and the loss that trains and classifies it, as one module: its parameters are the
/// network's, then the loss's, and its state names them "model.NAME" and "loss.NAME".
class Classifier : public Module {
public:
    /// Empty: neither a network nor a loss. To be assigned to.
    Classifier() = default;
    /// Throws Error when one of the two is null. `spec` describes how to build both again; one of an empty `model` says
    /// that they are not from the registries.
    Classifier(std::shared_ptr<Layer> model, std::shared_ptr<Loss> loss,
               ClassifierSpec spec = {.model = "", .loss = ""});
    Classifier(Classifier&&) = default;
    Classifier& operator=(Classifier&&) = default;

    std::shared_ptr<Layer> model;
    std::shared_ptr<Loss> loss;
    ClassifierSpec spec;

    /// The loss of a batch: images [N, ...] as the network takes them, targets as the loss does. Scalar.
    Tensor forward(const Tensor& images, const Tensor& targets);
    /// The scores of a batch: [N, classes], or what the loss predicts.
    Tensor logits(const Tensor& images);

private:
    static ClassifierSpec without_description();
};

/// The registry's network of that name. Throws Error that suggests the nearest.
const ModelInfo& model_named(const std::string& name);

/// Builds both with first weights from default_generator(). Throws Error for an unknown model or loss, or a dimension
/// that the model's feature cannot have.
Classifier build_classifier(const ClassifierSpec& spec);

/// The file that describes a classifier: its tensors, shared with it, as model.* and loss.*, and the spec and `notes`
/// as metadata.
TensorFile classifier_file(const Classifier& classifier, const std::map<std::string, std::string>& notes);

/// Writes that file, with a checksum. Throws FileError.
void save_classifier(const std::filesystem::path& path, const Classifier& classifier,
                     const std::map<std::string, std::string>& notes);

/// Copies the tensors that save_classifier() wrote into a classifier of the same network and loss. Throws FileError,
/// naming the tensors that are missing or left over, and then has changed nothing.
void load_weights(const std::filesystem::path& path, Classifier& classifier);

/// Rebuilds what save_classifier wrote, of a network and a loss from the registries. Throws FileError naming the file
/// and what it lacks, or the first tensor with a number that is not finite.
Classifier load_classifier(const std::filesystem::path& path);
/// The same for a file that has been read; `path` is for the errors.
Classifier load_classifier(const TensorFile& file, const std::filesystem::path& path);

}  // namespace radial::train
