// The tensor names in weight files of torchvision, timm and Radial, and the conversion between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// The library whose tensor names a weight file uses.
enum class WeightFormat : std::uint8_t {
    radial,       ///< "model.NAME" for the network, "loss.weight" and "loss.bias" for its linear classifier
    torchvision,  ///< as in torchvision 0.29
    timm,         ///< as in timm 1.0, for EfficientNet and RegNet
};
/// The name of a format: "radial", "torchvision" or "timm".
std::string_view name_of(WeightFormat format);
/// The format with this name. If there is none, throws an Error that lists the names.
WeightFormat parse_weight_format(std::string_view name);

/// The formats in which a family of networks can be read and written, Radial's own first.
std::vector<WeightFormat> weight_formats(std::string_view family);

/// Converts a name from Radial's format to `format`; empty when no rule of the family matches it. Throws Error when the
/// family does not have this format.
std::optional<std::string> exported_name(std::string_view family, WeightFormat format, std::string_view name);
/// Converts a name from `format` to Radial's format; empty when no rule of the family matches it. Throws Error when the
/// family does not have this format.
std::optional<std::string> imported_name(std::string_view family, WeightFormat format, std::string_view name);
/// Converts a name in `format` to the one that the newest version of the library uses: for example, the DenseNet files
/// that torchvision publishes have "norm.1" and "conv.2" where its networks have "norm1" and "conv2".
std::string newest_name(std::string_view family, WeightFormat format, std::string_view name);

/// Two patterns for the names of the same tensors. {i}, or any other letter except x in braces, matches a number, {i+1}
/// that number plus one, and {x}, which must be at the end, any text.
struct NameRule {
    std::string_view radial, other;  ///< in Radial's format, in the other format
};
/// Converts a name that matches the pattern `from` to the pattern `to`; empty when it does not match.
std::optional<std::string> renamed(std::string_view name, std::string_view from, std::string_view to);

}  // namespace radial
