// Reads and writes the weights of a network and its linear classifier in the formats of other libraries.
#pragma once

#include "radial/core/io/safetensors.h"
#include "radial/models/weight_names.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace radial {

/// A linear classifier, as in the softmax loss: logits = feature * weight^T + bias.
struct LinearClassifier {
    Tensor weight;  ///< [classes, dim]
    Tensor bias;    ///< [classes]
};

/// Copies the weights in a safetensors file into `model`, built from `info`, and returns the weights of the classifier,
/// with as many classes as in the file. Tensor names are those of `format`; if it is not given, of the format of the
/// family that fits most names. Entries "num_batches_tracked" are ignored, as is a prefix "module." or "_orig_mod." of
/// all names, which PyTorch's DataParallel and torch.compile() add. Properties that the file does not contain, such as
/// the epsilon of batch norms, stay as `model` was built: see read_network(). Throws FileError when the file cannot be
/// read, no format fits, or tensors are missing, left over, of another shape or have elements that are not finite; the
/// message has up to eight names of each kind as in the file. `model` is then unchanged.
LinearClassifier read_weights(const std::filesystem::path& path, const ModelInfo& info, Layer& model,
                              std::optional<WeightFormat> format = {});
/// The same for a file that has already been read. `path` is used in error messages only.
LinearClassifier read_weights(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                              Layer& model, std::optional<WeightFormat> format = {});

/// A network built for the weights in a file, with those weights.
struct ReadNetwork {
    ModelSettings settings;        ///< the value of every option
    std::unique_ptr<Layer> model;  ///< the network without the classifier
    LinearClassifier classifier;   ///< its classifier
};

/// Builds the network `info` as the file's format defines it (weight_settings()) and reads its weights. Throws as
/// read_weights() does.
ReadNetwork read_network(const std::filesystem::path& path, const ModelInfo& info,
                         std::optional<WeightFormat> format = {});
/// The same for a file that has already been read. `path` is used in error messages only.
ReadNetwork read_network(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                         std::optional<WeightFormat> format = {});

/// Writes the network and its classifier to a safetensors file with the tensor names of `format`. In the formats of
/// other libraries, each running variance is accompanied by a "num_batches_tracked" of 0, as in PyTorch. Throws
/// FileError, and Error when the family does not have this format or a tensor has no name in it.
void write_weights(const std::filesystem::path& path, const ModelInfo& info, const Layer& model,
                   const LinearClassifier& classifier, WeightFormat format,
                   const std::map<std::string, std::string>& metadata = {});

}  // namespace radial
