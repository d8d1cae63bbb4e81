// What torchvision and timm call the tensors of Radial's networks.
#pragma once

#include "radial/models/registry.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Whose names the tensors of a weight file have.
enum class WeightFormat : std::uint8_t {
    radial,       ///< "model.NAME" for the network, "loss.weight" and "loss.bias" for its linear classifier
    torchvision,  ///< as torchvision 0.29
    timm,         ///< as timm 1.0, for EfficientNet
};
/// "radial", "torchvision", "timm".
std::string_view name_of(WeightFormat format);
/// The inverse of name_of(). Throws Error that lists the names.
WeightFormat parse_weight_format(std::string_view name);

/// The formats that the files of a family of networks may have, Radial's own first.
std::vector<WeightFormat> weight_formats(std::string_view family);

/// `name` of Radial's format as `format` writes it; nothing when no rule of the family's fits it.
/// Throws Error when the family has no such format.
std::optional<std::string> exported_name(std::string_view family, WeightFormat format, std::string_view name);
/// The inverse: a name in a file of `format` as Radial writes it.
std::optional<std::string> imported_name(std::string_view family, WeightFormat format, std::string_view name);
/// A name in a file of `format` as the newest version of the program has it: the DenseNets that torchvision publishes
/// have "norm.1" and "conv.2" where its networks have "norm1" and "conv2".
std::string newest_name(std::string_view family, WeightFormat format, std::string_view name);

/// The options with which make_model() builds what the network of this name is in `format`, where its defaults do not:
/// what decides the results and stands in no file of weights. torchvision's EfficientNet-B5 to B7, whose weights come
/// from TensorFlow, have batch norms of epsilon 1e-3 and momentum 0.01, timm's efficientnet_b5 to b7 and Radial's 1e-5
/// and 0.1.
ModelSettings weight_settings(const ModelInfo& info, WeightFormat format);

/// Two patterns for the same tensors. {i}, or any letter but x, stands for a number, {i+1} for the one after it, and
/// {x}, at the end, for any text.
struct NameRule {
    std::string_view radial, other;
};
/// `name`, which fits the pattern `from`, as the pattern `to` has it; nothing when it does not fit.
std::optional<std::string> renamed(std::string_view name, std::string_view from, std::string_view to);

}  // namespace radial
