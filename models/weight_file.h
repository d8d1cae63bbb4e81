// Reading and writing the weights of a network and its linear classifier under the names of other programs.
#pragma once

#include "radial/core/io/safetensors.h"
#include "radial/models/weight_names.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace radial {

/// A linear classifier: logits = feature * weight^T + bias, as the softmax loss has it.
struct LinearClassifier {
    Tensor weight;  ///< [classes, dim]
    Tensor bias;    ///< [classes]
};

/// Copies the weights in a safetensors file into `model`, built from `info`, and returns the classifier's: of as many
/// classes as the file has. Names are of `format`; without one, of the format of the family that most of the file's
/// names fit. "num_batches_tracked" is passed over, as is a "module." or "_orig_mod." before every name, which
/// PyTorch's DataParallel and torch.compile() put there.
/// What the file does not say, as the epsilon of batch norms, stays as `model` was built: see read_network().
/// Throws FileError when the file cannot be read, no format fits, a tensor is missing, left over or of another shape,
/// each under its name in the file, of each kind the first eight, or has a number that is not finite; then `model` is
/// unchanged.
LinearClassifier read_weights(const std::filesystem::path& path, const ModelInfo& info, Layer& model,
                              std::optional<WeightFormat> format = {});
/// The same for a file that has been read; `path` is for the errors.
LinearClassifier read_weights(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                              Layer& model, std::optional<WeightFormat> format = {});

/// A network that was built for the weights in a file and has them.
struct ReadNetwork {
    ModelSettings settings;  ///< every option that it was built with
    std::unique_ptr<Layer> model;
    LinearClassifier classifier;
};

/// Builds the network `info` as it is in the file's format (weight_settings()) and reads its weights. Throws as
/// read_weights() does.
ReadNetwork read_network(const std::filesystem::path& path, const ModelInfo& info,
                         std::optional<WeightFormat> format = {});
/// The same for a file that has been read; `path` is for the errors.
ReadNetwork read_network(const TensorFile& file, const std::filesystem::path& path, const ModelInfo& info,
                         std::optional<WeightFormat> format = {});

/// Writes them as they are, as a safetensors file with the names of `format`; but for Radial's own, with the
/// "num_batches_tracked" of 0 that PyTorch has beside every running variance. Throws FileError, and Error when the
/// family has no such format or no name for a tensor.
void write_weights(const std::filesystem::path& path, const ModelInfo& info, const Layer& model,
                   const LinearClassifier& classifier, WeightFormat format,
                   const std::map<std::string, std::string>& metadata = {});

}  // namespace radial
