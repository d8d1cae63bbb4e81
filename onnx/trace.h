// The ops that a function calls, as a graph whose batch may have any size.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/tensor/tensor.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace radial::graph {

/// A tensor that the function reads or computes.
struct Value {
    /// The elements in the first run, on the CPU. Only the elements of constants are meaningful.
    Tensor tensor;
    /// Whether the value is the same for every input. It may still have a row per sample: see `batch`.
    bool constant = false;
    /// The dimension that grows with the batch; -1 for none. A constant with a batch dimension has the same elements in
    /// every row.
    int batch = -1;
    /// The name of the parameter or buffer; empty for other values.
    std::string name{};
};

/// A call of an op.
struct Node {
    std::string op;           ///< the op's name; see record()
    std::vector<int> inputs;  ///< indices of values; -1 where the input is undefined
    int output;               ///< index of a value
    std::map<std::string, double> attributes;

    /// The value of an attribute. Throws Error, naming the op, when the op has no attribute with this name.
    double attribute(const std::string& name) const;
    /// attribute() as a whole number.
    std::int64_t whole(const std::string& name) const { return static_cast<std::int64_t>(attribute(name)); }
};

/// The ops of a function in the order in which they ran. Ops that compute constants are left out, and so are ops whose
/// results are not used.
struct Graph {
    std::vector<Value> values;
    std::vector<Node> nodes;
    int input = 0, output = 0;  ///< indices of values

    const Value& at(int value) const { return values.at(static_cast<std::size_t>(value)); }
    /// Adds a constant and returns its index.
    int add_constant(Tensor tensor, std::string name = {});
    /// How often each value is used: as an input of a node, which may use it several times, or as the graph's output.
    std::vector<int> uses() const;
};

/// Runs `function` twice on random batches [N, sample...] and returns the ops that it called. See export_onnx() for the
/// conditions, and for what it throws.
Graph trace(Module& module, const std::function<Tensor(const Tensor&)>& function, const Shape& sample);

/// Folds each batch norm with constant statistics into the convolution or linear layer before it, if that layer's
/// weights are constant and nothing else uses its result.
void fold_batch_norms(Graph& graph);

}  // namespace radial::graph
