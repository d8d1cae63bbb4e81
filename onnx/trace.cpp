// Records the ops of a function in two runs and compares them.
#include "radial/onnx/trace.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace radial::graph {
namespace {

constexpr std::array<std::int64_t, 2> batches = {2, 3};

/// The values and nodes of one run. Values keep their tensors, so no op can reuse the memory of an earlier result.
class Recorder {
public:
    Recorder(const Module& module, const Tensor& input) {
        for (const auto& [name, tensor] : module.state()) names_.emplace(place_of(tensor), name);
        graph_.input = value_of(input);
    }

    void add(const OpCall& call) {
        Node node{.op = std::string(call.op), .inputs = {}, .output = 0, .attributes = {}};
        for (const Tensor& input : call.inputs) node.inputs.push_back(input.defined() ? value_of(input) : -1);
        for (const OpAttribute& each : call.attributes) node.attributes.emplace(each.name, each.value);
        node.output = new_value(call.output);
        graph_.nodes.push_back(std::move(node));
    }

    Graph take(const Tensor& result) {
        RADIAL_CHECK(result.defined(), "export_onnx: the function returns an undefined tensor");
        graph_.output = value_of(result);
        return std::move(graph_);
    }

private:
    using Place = std::pair<const Storage*, std::int64_t>;
    static Place place_of(const Tensor& x) { return {x.impl()->storage.get(), x.impl()->offset}; }

    int new_value(const Tensor& tensor) {
        RADIAL_CHECK(tensor.dtype() == DType::float32 && tensor.device().kind == Device::Kind::cpu,
                     "export_onnx: the function uses a tensor {} on {}, expected float32 on the CPU", tensor.str(),
                     tensor.device().str());
        const int index = static_cast<int>(graph_.values.size());
        const auto named = names_.find(place_of(tensor));
        graph_.values.push_back({.tensor = tensor, .name = named == names_.end() ? "" : named->second});
        indices_[tensor.impl().get()] = index;
        return index;
    }
    int value_of(const Tensor& tensor) {
        const auto found = indices_.find(tensor.impl().get());
        return found != indices_.end() ? found->second : new_value(tensor);
    }

    std::map<Place, std::string> names_;
    std::map<const TensorImpl*, int> indices_;
    Graph graph_;
};

Graph record_run(Module& module, const std::function<Tensor(const Tensor&)>& function, const Shape& sample,
                 std::int64_t batch) {
    std::vector<std::int64_t> extents = {batch};
    extents.insert(extents.end(), sample.begin(), sample.end());
    const Tensor input = Tensor::empty(Shape(extents), DType::float32, Device{});
    Generator generator(static_cast<std::uint64_t>(batch));
    normal_(input, 0, 1, generator);
    Recorder recorder(module, input);
    const ObserveOps observer([&recorder](const OpCall& call) { recorder.add(call); });
    return recorder.take(function(input));
}

/// Whether two tensors of one shape have the same elements, bit by bit.
bool same_elements(const Tensor& a, const Tensor& b) {
    const Tensor x = a.to(Layout::row_major), y = b.to(Layout::row_major);
    return x.raw() == y.raw() || x.numel() == 0 || std::memcmp(x.raw(), y.raw(), x.bytes()) == 0;
}

/// Whether all rows of `first` and `second` are equal to each other.
bool same_rows(const Tensor& first, const Tensor& second) {
    const Tensor row = first.rows(0, 1).to(Layout::row_major);
    for (const Tensor* tensor : {&first, &second}) {
        for (std::int64_t i = 0; i < tensor->size(0); ++i) {
            if (!same_elements(tensor->rows(i, i + 1), row)) return false;
        }
    }
    return true;
}

/// The only dimension in which the shapes differ, in the ratio of the batch sizes; -1 if they are equal. Throws Error
/// otherwise.
int batch_dim(const Shape& first, const Shape& second) {
    int found = -1;
    bool fits = first.rank() == second.rank();
    for (int d = 0; fits && d < first.rank(); ++d) {
        if (first[d] == second[d]) continue;
        fits = found < 0 && first[d] * batches[1] == second[d] * batches[0];
        found = d;
    }
    RADIAL_CHECK(
        fits,
        "export_onnx: a tensor is {} for {} samples and {} for {}, expected one dimension that grows with the batch",
        first.str(), batches[0], second.str(), batches[1]);
    return found;
}

/// Compares the nodes of two runs. Throws Error where they are not the same ops with the same inputs and attributes.
void check_alike(const Graph& first, const Graph& second) {
    RADIAL_CHECK(first.nodes.size() == second.nodes.size() && first.values.size() == second.values.size(),
                 "export_onnx: the function calls {} ops for one batch and {} for another, expected the same ops",
                 first.nodes.size(), second.nodes.size());
    for (std::size_t i = 0; i < first.nodes.size(); ++i) {
        const Node &a = first.nodes[i], &b = second.nodes[i];
        RADIAL_CHECK(a.op == b.op && a.inputs == b.inputs && a.output == b.output,
                     "export_onnx: op {} of the function is {} for one batch and {} for another", i, a.op, b.op);
        for (const auto& [name, value] : a.attributes) {
            const double other = b.attribute(name);
            RADIAL_CHECK(value == other, "export_onnx: {} of {} is {} for one batch and {} for another", name, a.op,
                         value, other);
        }
    }
}

/// Determines which values are constant and which have a batch dimension.
void classify(Graph& graph, const Graph& second) {
    std::vector<bool> computed(graph.values.size());
    computed[static_cast<std::size_t>(graph.input)] = true;
    for (const Node& node : graph.nodes) {
        // A value that is computed only from constants is a constant.
        computed[static_cast<std::size_t>(node.output)] = std::ranges::any_of(
            node.inputs, [&](int input) { return input >= 0 && computed[static_cast<std::size_t>(input)]; });
    }
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
        Value& value = graph.values[i];
        const Tensor& other = second.values[i].tensor;
        value.constant = !computed[i];
        value.batch = batch_dim(value.tensor.shape(), other.shape());
        if (!value.constant) continue;
        const bool alike = value.batch < 0    ? same_elements(value.tensor, other)
                           : value.batch == 0 ? same_rows(value.tensor, other)
                                              : false;
        RADIAL_CHECK(alike,
                     "export_onnx: the function computes a tensor {} from its input without Radial's ops, or at random",
                     value.tensor.str());
    }
}

/// Removes the nodes that compute constants, and those whose results are not used.
void remove_idle(Graph& graph) {
    std::erase_if(graph.nodes, [&](const Node& node) { return graph.at(node.output).constant; });
    std::vector<bool> used(graph.values.size());
    used[static_cast<std::size_t>(graph.output)] = true;
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
        if (!used[static_cast<std::size_t>(node->output)]) continue;
        for (const int input : node->inputs) {
            if (input >= 0) used[static_cast<std::size_t>(input)] = true;
        }
    }
    std::erase_if(graph.nodes, [&](const Node& node) { return !used[static_cast<std::size_t>(node.output)]; });
}

}  // namespace

double Node::attribute(const std::string& name) const {
    const auto found = attributes.find(name);
    RADIAL_CHECK(found != attributes.end(), "{}: the op has no attribute {}", op, name);
    return found->second;
}

int Graph::add_constant(Tensor tensor, std::string name) {
    values.push_back({.tensor = std::move(tensor), .constant = true, .batch = -1, .name = std::move(name)});
    return static_cast<int>(values.size()) - 1;
}

std::vector<int> Graph::uses() const {
    std::vector<int> counts(values.size());
    counts[static_cast<std::size_t>(output)] = 1;
    for (const Node& node : nodes) {
        for (const int each : node.inputs) {
            if (each >= 0) ++counts[static_cast<std::size_t>(each)];
        }
    }
    return counts;
}

Graph trace(Module& module, const std::function<Tensor(const Tensor&)>& function, const Shape& sample) {
    const EvalMode mode(module);
    const NoGrad no_grad;
    const DefaultDevice host(Device{});
    Graph graph = record_run(module, function, sample, batches[0]);
    {
        const Graph second = record_run(module, function, sample, batches[1]);
        check_alike(graph, second);
        classify(graph, second);
    }
    const Value& result = graph.at(graph.output);
    RADIAL_CHECK(!result.constant && result.batch >= 0,
                 "export_onnx: the result is {}, expected one dimension that grows with the batch",
                 result.tensor.str());
    remove_idle(graph);
    return graph;
}

}  // namespace radial::graph
