// Writes classifiers as ONNX files.
#pragma once

#include "radial/apps/train/run/weights.h"

#include <cstdint>
#include <filesystem>

namespace radial::zoo {

/// Writes a classifier for images of `size` x `size` pixels as ONNX. If `size` is 0, uses the size recorded in the
/// weight file, or else the network's. The input is "image", float [N, C, size, size], normalised by the mean and std
/// of the training images; the output is "logits" [N, classes]. The metadata are "model", "loss", and the entries that
/// train::to_metadata() returns for the weights. Returns the size. Throws as export_onnx() does, and Error when this
/// build has no ONNX library.
std::int64_t export_classifier(const std::filesystem::path& path, train::OpenedWeights& weights, std::int64_t size);

}  // namespace radial::zoo
