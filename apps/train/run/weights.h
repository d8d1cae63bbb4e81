// Reads and writes files of classifiers: Radial's checkpoints, and the weights of torchvision and timm.
#pragma once

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/run/input_notes.h"
#include "radial/models/weight_file.h"

#include <filesystem>
#include <string>

namespace radial::train {

/// The content of a file of weights.
struct OpenedWeights {
    Classifier classifier;  ///< the network and the loss
    InputNotes notes;       ///< the input images and the classes, as far as the file describes them
};

/// Reads a checkpoint, or the weights of the network `model` with the tensor names of `format`. If `model` or `format`
/// is "", the file determines it. The classifier of weights that are not a checkpoint has a softmax loss. Throws
/// FileError that names the file: when `model` is "" and the file does not name its model, when the file names another
/// model, and as read_weights() and load_classifier() do. Throws Error for an unknown model or format.
OpenedWeights open_weights(const std::filesystem::path& path, const std::string& model, const std::string& format);

/// Writes a classifier with the tensor names of `format`: Radial's own as save_classifier() does, others as
/// write_weights() does. If the network as `format` defines it has batch norms with another epsilon, their weights are
/// scaled so that the results in evaluation are the same. Throws FileError, and Error when a format other than Radial's
/// is requested for a loss that is not a linear classifier.
void export_weights(const std::filesystem::path& path, const OpenedWeights& weights, WeightFormat format);

}  // namespace radial::train
