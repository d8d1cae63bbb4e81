// ONNX: networks as files that other programs run.
//
// The functions are in the library Radial::onnx, which needs the ONNX library (Debian: libonnx-dev).
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/tensor/tensor.h"

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace radial {

/// Options of export_onnx().
struct OnnxOptions {
    std::string name = "network";                   ///< name of the graph
    std::string input = "image";                    ///< name of the input
    std::string output = "logits";                  ///< name of the output
    std::map<std::string, std::string> metadata{};  ///< notes for the reader of the file, such as the classes' names
};

/// Writes `function` as an ONNX model (opset 13, float32) to `path`, which is replaced atomically.
///
/// function(x) computes a tensor from x [N, sample...] on the CPU with the parameters and buffers of `module`, which is
/// switched to evaluation while it runs. The model's input is [N, sample...] for any N: the first dimension of the
/// input is the batch, and the result must have exactly one dimension that grows with it. Batch norms that follow a
/// convolution or a linear layer are folded into its weights. Parameters keep their names, except those that were
/// folded.
///
/// The function is run twice, with batches of random numbers of different sizes, and the ops that it calls are
/// recorded. It may therefore not choose between ops by the values of its input, and may not compute from them other
/// than by Radial's ops; this is checked as far as the two runs show it.
///
/// Throws Error, naming the op, for an op that has no ONNX form, and when the two runs differ by more than their batch;
/// throws Error when a tensor is not float32, and FileError when the file cannot be written. The model is checked by
/// ONNX's own checker before it is written.
void export_onnx(const std::filesystem::path& path, Module& module,
                 const std::function<Tensor(const Tensor& x)>& function, const Shape& sample,
                 const OnnxOptions& options = {});

/// The content of the file that export_onnx() writes: a serialized ModelProto. Throws as export_onnx() does, but no
/// FileError.
std::string onnx_model(Module& module, const std::function<Tensor(const Tensor& x)>& function, const Shape& sample,
                       const OnnxOptions& options = {});

}  // namespace radial
