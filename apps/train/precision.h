// What a network's arithmetic is done in: the choice, and the two casts that it takes.
#pragma once

#include "radial/core/nn/module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial::train {

/// Weights, losses and optimizer state are float32 in each of them.
enum class Precision : std::uint8_t {
    float32,
    tf32,  ///< products and convolutions round their inputs to 10 bits of mantissa
    bf16,  ///< activations are bfloat16
};

/// "float32", "tf32", "bf16".
std::string name_of(Precision precision);
/// The names, for a flag's check.
std::vector<std::string> precision_names();
/// The inverse of name_of(). Throws Error for another name.
Precision parse_precision(const std::string& name);

/// Makes ops on `device` follow it. Throws Error for tf32 on the CPU, which has none.
void use_precision(Precision precision, Device device);

/// `model`'s feature of `images`, float32 whatever is between.
Tensor feature_of(Layer& model, const Tensor& images, Precision precision);

}  // namespace radial::train
