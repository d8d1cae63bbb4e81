// A small ONNX runtime on Radial's ops, so that tests can run what was exported.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <string>

namespace radial::test {

/// Runs a serialized model on `x` and returns its first output. Throws Error for an operator that Radial does not
/// export, and when a shape that the model declares or that ONNX infers differs from the one computed.
Tensor run_onnx(const std::string& model, const Tensor& x);

}  // namespace radial::test
