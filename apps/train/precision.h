// The precision of a network's arithmetic.
#pragma once

#include "radial/core/nn/module.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace radial::train {

/// The precision in which a network computes. Weights, losses and optimizer state are always float32.
enum class Precision : std::uint8_t {
    float32,  ///< float32 throughout
    tf32,     ///< matrix products and convolutions round their inputs to 10 bits of mantissa
    bf16,     ///< activations are bfloat16
};

/// The names of the precisions.
constexpr auto words_of(Precision /*value*/) { return std::to_array<std::string_view>({"float32", "tf32", "bf16"}); }
/// The name of a precision: "float32", "tf32" or "bf16".
std::string name_of(Precision precision);
/// Allows TF32 in ops for Precision::tf32, and disallows it otherwise. Throws Error for Precision::tf32 on a device
/// other than CUDA.
void use_precision(Precision precision, Device device);

/// Returns the features that `model` computes from `images`, always float32. For Precision::bf16, the images are
/// converted to bfloat16 and the features back to float32.
Tensor feature_of(Layer& model, const Tensor& images, Precision precision);

}  // namespace radial::train
