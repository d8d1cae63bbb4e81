// Transfer learning: starting from the weights of a file, and training only a part of a network.
#pragma once

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/run/weights.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// What transfer_weights() has taken.
struct TransferredWeights {
    std::int64_t tensors = 0;  ///< number of tensors of the network
    bool head = false;         ///< whether the loss has the weights of the file's loss, too
    std::string reason;        ///< why it has not: "the file has 1000 classes, the data set 10"
};

/// Copies the network's weights from `source` into `target`, a classifier with the same network, for a data set with
/// the classes `class_names`. The loss's weights are copied too if both have the same loss, the same number of classes
/// and, where the file names them, the same classes in the same order; otherwise `target` keeps its own. Throws Error
/// when the networks differ, naming the tensors; `target` is then unchanged.
TransferredWeights transfer_weights(const OpenedWeights& source, Classifier& target,
                                    const std::vector<std::string>& class_names);

/// A layer or block of a network.
struct NetworkPart {
    std::string name;                ///< dotted path from the network: "layer1.0"
    std::shared_ptr<Module> module;  ///< the layer or block
};
/// The layers and blocks of a network that have parameters, in order. A Sequential, and a group of layers that is not a
/// layer itself, count as the layers in them.
std::vector<NetworkPart> parts_of(const Module& network);

/// Freezes the beginning of a network and holds it in evaluation (Module::freeze(), Module::keep_eval()), so that
/// neither its parameters nor its running statistics change. `which` is "backbone" for the whole network, a number N
/// for its first N parts, or the name of a part, or of several such as "layer2", up to and including which it is
/// frozen. Returns the names of the frozen parts. Throws Error, which lists the parts, for any other text.
std::vector<std::string> freeze_parts(Module& network, std::string_view which);

}  // namespace radial::train
