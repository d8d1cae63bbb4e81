// The export of networks to ONNX files, which other programs can run.
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
/// in evaluation mode while it runs. The model's input is [N, sample...] for any N: the first dimension of the input is
/// the batch, and exactly one dimension of the result must grow with it. Batch norms that follow a convolution or a
/// linear layer are folded into its weights. Parameters keep their names where they are written unchanged; values
/// computed from them, such as folded weights, get other names.
///
/// The function is run twice, with batches of random numbers of different sizes, and the ops that it calls are
/// recorded. So its choice of ops must not depend on the values of its input, and only Radial's ops may compute from
/// them. Violations are detected only if the two runs differ.
///
/// Throws Error, naming the op, for an op that has no ONNX form. Throws Error when the runs differ in more than the
/// batch size, when a tensor is not float32, when the names of the input and the output are empty, equal, or those of
/// parameters, and when ONNX's checker rejects the model. Throws FileError when the file cannot be written.
void export_onnx(const std::filesystem::path& path, Module& module,
                 const std::function<Tensor(const Tensor& x)>& function, const Shape& sample,
                 const OnnxOptions& options = {});

/// The content of the file that export_onnx() writes: a serialized ModelProto. Throws as export_onnx() does, except
/// FileError.
std::string onnx_model(Module& module, const std::function<Tensor(const Tensor& x)>& function, const Shape& sample,
                       const OnnxOptions& options = {});

}  // namespace radial
