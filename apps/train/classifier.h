// A network and its loss as one module, which is saved in a safetensors file that also describes how to rebuild it.
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
    std::string model = "lenetpp";     ///< name of the network (find_model()); empty if not from the registries
    ModelSettings model_settings{};    ///< options of the network; those not given keep their defaults
    std::int64_t dim = 32;             ///< feature dimension
    std::string loss = "rbf-softmax";  ///< name of a loss, or a sum of losses and regularisers: see make_loss()
    LossSettings loss_settings{};      ///< options of the loss; those not given keep their defaults
    std::int64_t classes = 10;         ///< number of classes
};

/// A network that computes features, and the loss that trains the network and computes the predictions, as one module.
/// The parameters are those of the network, then those of the loss, under the names "model.NAME" and "loss.NAME".
class Classifier : public Module {
public:
    /// A classifier without a network or a loss, which can only be assigned to.
    Classifier() = default;
    /// Combines `model` and `loss`. `spec` describes how to rebuild them; `spec.model` is empty when they are not from
    /// the registries. Throws Error when `model` or `loss` is null.
    Classifier(std::shared_ptr<Layer> model, std::shared_ptr<Loss> loss,
               ClassifierSpec spec = {.model = "", .loss = ""});
    Classifier(Classifier&&) = default;
    Classifier& operator=(Classifier&&) = default;

    std::shared_ptr<Layer> model;  ///< maps inputs to features [N, D]
    std::shared_ptr<Loss> loss;    ///< maps features to the loss and to scores
    ClassifierSpec spec;           ///< how to rebuild the network and the loss

    /// Returns the loss of a batch, a scalar. `images` [N, ...] are the input of the network; `targets` are the targets
    /// of the loss: for most losses the labels, int64 [N].
    Tensor forward(const Tensor& images, const Tensor& targets);
    /// Returns the predictions of the loss for a batch: if the targets are classes, the logits [N, classes]. See
    /// Loss::logits().
    Tensor logits(const Tensor& images);
};

/// Returns the registry's entry for the network with this name. If there is none, throws an Error that suggests the
/// nearest name.
const ModelInfo& model_named(const std::string& name);

/// Builds a network and its loss with initial weights from default_generator(). Throws Error for an unknown name or
/// option, and when the feature of the network cannot have the length `dim`.
Classifier build_classifier(const ClassifierSpec& spec);

/// Returns the content of a classifier's file: the state() of `classifier`, whose tensors share the classifier's
/// memory, and `notes` and the spec as metadata. A spec with an empty `model` is left out.
TensorFile classifier_file(const Classifier& classifier, const std::map<std::string, std::string>& notes);

/// Writes classifier_file() to `path` with a checksum. Throws FileError when the file cannot be written.
void save_classifier(const std::filesystem::path& path, const Classifier& classifier,
                     const std::map<std::string, std::string>& notes);

/// Copies the tensors of a file of save_classifier() into a classifier of the same network and loss. Throws FileError
/// when the file cannot be read, or when names or shapes differ; the message names the tensors, and the classifier is
/// unchanged.
void load_weights(const std::filesystem::path& path, Classifier& classifier);

/// Rebuilds the classifier that save_classifier() wrote. The network and the loss must be from the registries. Throws
/// FileError, naming the file, when the file cannot be read, when its metadata or tensors are missing or invalid, or
/// when a tensor contains a number that is not finite.
Classifier load_classifier(const std::filesystem::path& path);
/// Same as above, for a file that has already been read; `path` is used in messages only.
Classifier load_classifier(const TensorFile& file, const std::filesystem::path& path);

}  // namespace radial::train
