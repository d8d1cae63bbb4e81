// Folds batch norms into the layers before them.
#include "radial/onnx/trace.h"

#include <cmath>
#include <optional>

namespace radial::graph {
namespace {

/// y = factor * x + shift, for each channel.
struct Affine {
    std::vector<double> factor, shift;
};

/// The factor and shift that a batch norm applies to each channel; empty unless its parameters and statistics are
/// constant.
std::optional<Affine> affine_of(const Graph& graph, const Node& norm) {
    constexpr std::array<std::size_t, 4> constants = {1, 2, 4, 5};  // scale, shift, mean, variance
    std::array<std::vector<double>, 4> numbers;
    for (std::size_t i = 0; i < constants.size(); ++i) {
        const Value& value = graph.at(norm.inputs.at(constants[i]));
        if (!value.constant) return std::nullopt;
        numbers[i] = value.tensor.to_vector<double>();
    }
    const auto& [scale, shift, mean, variance] = numbers;
    Affine affine;
    for (std::size_t c = 0; c < scale.size(); ++c) {
        affine.factor.push_back(scale[c] / std::sqrt(variance[c] + norm.attribute("epsilon")));
        affine.shift.push_back(shift[c] - mean[c] * affine.factor[c]);
    }
    return affine;
}

/// Applies `affine` to the result of a convolution or a linear layer, whose output channels are the first dimension of
/// its weight.
void fold_into(Graph& graph, Node& layer, const Affine& affine) {
    const Tensor weight = graph.at(layer.inputs[1]).tensor;
    const bool biased = layer.inputs[2] >= 0;
    std::vector<float> values = weight.to_vector<float>();
    std::vector<float> bias =
        biased ? graph.at(layer.inputs[2]).tensor.to_vector<float>() : std::vector<float>(affine.shift.size());
    const std::size_t each = values.size() / affine.factor.size();
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(affine.factor[i / each] * static_cast<double>(values[i]));
    for (std::size_t c = 0; c < bias.size(); ++c)
        bias[c] = static_cast<float>(affine.factor[c] * static_cast<double>(bias[c]) + affine.shift[c]);
    const std::string name = graph.at(layer.inputs[1]).name;
    layer.inputs[1] = graph.add_constant(Tensor::from(values, weight.shape()), name.empty() ? "" : name + ".folded");
    layer.inputs[2] =
        graph.add_constant(Tensor::from(bias, {std::ssize(bias)}), name.empty() ? "" : name + ".folded_bias");
}

}  // namespace

void fold_batch_norms(Graph& graph) {
    const std::vector<int> uses = graph.uses();
    std::map<int, std::size_t> producers;  // the node that computes each value
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        Node& norm = graph.nodes[i];
        producers[norm.output] = i;
        // In training a norm has no statistics among its inputs.
        if (norm.op != "batch_norm" || norm.inputs.size() != 6) continue;
        const auto before = producers.find(norm.inputs[0]);
        if (before == producers.end() || uses[static_cast<std::size_t>(norm.inputs[0])] != 1) continue;
        Node& layer = graph.nodes[before->second];
        const bool foldable = (layer.op == "conv2d" || layer.op == "linear") && graph.at(layer.inputs[1]).constant &&
                              (layer.inputs[2] < 0 || graph.at(layer.inputs[2]).constant);
        const std::optional<Affine> affine = foldable ? affine_of(graph, norm) : std::nullopt;
        if (!affine) continue;
        fold_into(graph, layer, *affine);
        // Only the residual and the activation remain of the norm.
        norm.op = "activated";
        norm.inputs = {norm.inputs[0], norm.inputs[3]};
    }
}

}  // namespace radial::graph
