// Copies weights between classifiers with different heads, and freezes parts of a network.
#include "radial/apps/train/transfer.h"

#include "radial/core/util/error.h"
#include "radial/layers/sequential.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace radial::train {
namespace {

/// Whether the tensors of two lists have the same names and shapes, in any order.
bool alike(const std::vector<NamedTensor>& one, const std::vector<NamedTensor>& other) {
    return one.size() == other.size() && std::ranges::all_of(one, [&](const NamedTensor& tensor) {
               return std::ranges::any_of(other, [&](const NamedTensor& twin) {
                   return twin.name == tensor.name && twin.tensor.shape() == tensor.tensor.shape();
               });
           });
}

/// Why the loss in a file does not fit a classifier; empty if it does.
std::string head_difference(const OpenedWeights& source, const Classifier& target,
                            const std::vector<std::string>& class_names) {
    const ClassifierSpec &theirs = source.classifier.spec, &own = target.spec;
    if (theirs.classes != own.classes)
        return fmt::format("the file has {} classes, the data set {}", theirs.classes, own.classes);
    if (theirs.loss != own.loss) return fmt::format("the file has the loss {}, the run {}", theirs.loss, own.loss);
    if (!source.notes.class_names.empty() && source.notes.class_names != class_names)
        return "the file has other classes than the data set";
    if (!alike(source.classifier.loss->state(), target.loss->state()))
        return fmt::format("the file's {} has other options", theirs.loss);
    return "";
}

void collect(const Module& module, const std::string& prefix, std::vector<NetworkPart>& parts) {
    for (const auto& [name, child] : module.named_children()) {
        const std::string path = prefix + name;
        if (child->parameters().empty()) continue;
        const bool is_layer = dynamic_cast<const Layer*>(child.get()) != nullptr;
        if (!is_layer || dynamic_cast<const Sequential*>(child.get()) != nullptr)
            collect(*child, path + ".", parts);
        else
            parts.push_back({path, child});
    }
}

/// The number of parts that `which` freezes (see freeze_parts()); 0 if `which` is invalid.
std::size_t count_of(const std::vector<NetworkPart>& parts, std::string_view which) {
    if (which == "backbone") return parts.size();
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), count);
    if (error == std::errc{} && end == which.data() + which.size()) return count <= parts.size() ? count : 0;
    count = 0;
    const std::string within = std::string(which) + ".";
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].name == which || parts[i].name.starts_with(within)) count = i + 1;
    return count;
}

}  // namespace

TransferredWeights transfer_weights(const OpenedWeights& source, Classifier& target,
                                    const std::vector<std::string>& class_names) {
    const std::vector<NamedTensor> network = source.classifier.model->state();
    target.model->load_state(network);
    TransferredWeights taken{.tensors = std::ssize(network), .reason = head_difference(source, target, class_names)};
    taken.head = taken.reason.empty();
    if (taken.head) target.loss->load_state(source.classifier.loss->state());
    return taken;
}

std::vector<NetworkPart> parts_of(const Module& network) {
    std::vector<NetworkPart> parts;
    collect(network, "", parts);
    return parts;
}

std::vector<std::string> freeze_parts(Module& network, std::string_view which) {
    const std::vector<NetworkPart> parts = parts_of(network);
    const std::size_t count = count_of(parts, which);
    std::vector<std::string> names;
    names.reserve(parts.size());
    for (const NetworkPart& part : parts) names.push_back(part.name);
    RADIAL_CHECK(count > 0, "freeze: '{}' is not backbone, a number from 1 to {} or one of the network's parts: {}",
                 which, parts.size(), fmt::join(names, ", "));
    names.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        parts[i].module->freeze();
        parts[i].module->keep_eval();
    }
    if (count == parts.size()) {  // also the modules that are not in any part, such as dropout
        network.freeze();
        network.keep_eval();
    }
    return names;
}

}  // namespace radial::train
