// Reads and writes weight files of torchvision, timm and Radial.
#pragma once

#include "radial/core/io/safetensors.h"
#include "radial/models/registry.h"
#include "radial/models/weight_names.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace radial {

/// The options of make_model() whose values differ from the defaults in the network as `format` defines it. They are
/// properties that affect the results but are not part of a weight file. torchvision's EfficientNet-B5 to B7, whose
/// weights come from TensorFlow, have batch norms with epsilon 1e-3 and momentum 0.01; timm's efficientnet_b5 to b7 and
/// Radial's have 1e-5 and 0.1.
ModelSettings weight_settings(const ModelInfo& info, WeightFormat format);

/// A linear classifier, as in the softmax loss: logits = feature * weight^T + bias.
struct LinearClassifier {
    Tensor weight;  ///< [classes, dim]
    Tensor bias;    ///< [classes]
};

/// Copies the weights in a safetensors file into `model`, built from `info`, and returns the weights of the classifier,
/// with as many classes as in the file. Tensor names are those of `format`; if it is not given, those of the format of
/// the family that matches most names. Entries "num_batches_tracked" are ignored, as is a prefix "module." or
/// "_orig_mod." of all names, which PyTorch's DataParallel and torch.compile() add. Properties that the file does not
/// contain, such as the epsilon of batch norms, stay as `model` was built: see read_network(). Throws FileError when
/// the file cannot be read, when no format matches, or when tensors are missing, are left over, have another shape or
/// have elements that are not finite; the message lists up to eight names of each kind, as in the file. `model` is then
/// unchanged.
LinearClassifier read_weights(const std::filesystem::path& path, const ModelInfo& info, Layer& model,
                              std::optional<WeightFormat> format = {});
/// read_weights() for a file that has already been read. `path` is only used in error messages.
LinearClassifier read_weights(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                              Layer& model, std::optional<WeightFormat> format = {});

/// A network built for the weights in a file, with those weights.
struct ReadNetwork {
    ModelSettings settings;        ///< the value of every option
    std::unique_ptr<Layer> model;  ///< the network without the classifier
    LinearClassifier classifier;   ///< the network's classifier
};

/// Builds the network `info` as the file's format defines it (weight_settings()) and reads its weights. Throws as
/// read_weights() does.
ReadNetwork read_network(const std::filesystem::path& path, const ModelInfo& info,
                         std::optional<WeightFormat> format = {});
/// read_network() for a file that has already been read. `path` is only used in error messages.
ReadNetwork read_network(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                         std::optional<WeightFormat> format = {});

/// Writes the network and its classifier to a safetensors file with the tensor names of `format`. In the formats of
/// other libraries, each running variance is accompanied by a "num_batches_tracked" of 0, as in PyTorch. Throws
/// FileError, and throws Error when the family does not have this format or a tensor has no name in it.
void write_weights(const std::filesystem::path& path, const ModelInfo& info, const Layer& model,
                   const LinearClassifier& classifier, WeightFormat format,
                   const std::map<std::string, std::string>& metadata = {});

}  // namespace radial
