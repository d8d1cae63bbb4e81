// Transfer learning: starting from the weights of a file, and training only a part of a network.
#pragma once

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/run/weights.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// The weights that transfer_weights() has copied.
struct TransferredWeights {
    std::int64_t tensors = 0;  ///< number of tensors of the network, all of which are copied
    bool head = false;         ///< whether the weights of the loss are copied, too
    std::string reason;        ///< why they are not: "the file has 1000 classes, the data set 10"; empty if they are
};

/// Copies the network's weights from `source` into `target`, a classifier with the same network, for a data set with
/// the classes `class_names`. Copies the loss's weights, too, if both classifiers have the same loss with tensors of
/// the same names and shapes, the same number of classes and, if the file names its classes, the same classes in the
/// same order; otherwise the loss of `target` keeps its own weights. Throws Error when the networks differ, naming the
/// tensors; `target` is then unchanged.
TransferredWeights transfer_weights(const OpenedWeights& source, Classifier& target,
                                    const std::vector<std::string>& class_names);

/// A layer or block of a network.
struct NetworkPart {
    std::string name;                ///< dotted path from the network: "layer1.0"
    std::shared_ptr<Module> module;  ///< the layer or block
};
/// Returns the layers and blocks of a network that have parameters, in order. In place of a Sequential, or of a group
/// of layers that is not a layer itself, the list contains the layers within.
std::vector<NetworkPart> parts_of(const Module& network);

/// Freezes the beginning of a network and holds it in evaluation (Module::freeze(), Module::keep_eval()), so that
/// neither its parameters nor its running statistics change. `which` is "backbone" for the whole network, a number N
/// for its first N parts, or a name: that of a part, or the beginning of the names of several, such as "layer2" for
/// "layer2.0" and "layer2.1". A name freezes all parts up to and including the last part that it matches. Returns the
/// names of the frozen parts. Throws Error, which lists the parts, for any other text.
std::vector<std::string> freeze_parts(Module& network, std::string_view which);

}  // namespace radial::train
