// Classifiers out of files: Radial's checkpoints, and the weights of torchvision and timm.
#pragma once

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/run/input_notes.h"
#include "radial/models/weight_file.h"

#include <filesystem>
#include <string>

namespace radial::train {

struct OpenedWeights {
    Classifier classifier;
    InputNotes notes;
};

/// Reads a checkpoint, or the weights of `model` in the naming `format` ("" leaves each to the file), whose classifier
/// then is a softmax loss. Throws FileError naming the file: when it does not say its model and `model` is "", or says
/// another one, and as read_weights() and load_classifier() do; and Error for a model or format that does not exist.
OpenedWeights open_weights(const std::filesystem::path& path, const std::string& model, const std::string& format);

/// Writes a classifier in the naming `format`: Radial's own as save_classifier() does, others as write_weights(). Where
/// the format's network has batch norms of another epsilon, their weights are scaled to give the same in evaluation.
/// Throws FileError, and Error when a format other than Radial's is asked for a loss that is not a linear classifier.
void export_weights(const std::filesystem::path& path, const OpenedWeights& weights, WeightFormat format);

}  // namespace radial::train
