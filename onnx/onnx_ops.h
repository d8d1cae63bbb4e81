// How each op is written in ONNX.
#pragma once

#include "radial/onnx/trace.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace onnx {  // the ONNX library's
class GraphProto;
}  // namespace onnx

namespace radial::graph {

/// Adds the nodes and initializers of a graph to an ONNX graph. Tensors are identified by their names.
class Emitter {
public:
    Emitter(const Graph& from, ::onnx::GraphProto& to);

    /// Returns the name of a value. The first use of a constant adds an initializer and, if the constant has a batch
    /// dimension, nodes that repeat it for each sample.
    std::string name_of(int value);
    /// Uses `name` for a value from now on.
    void set_name(int value, const std::string& name) {
        names_[value] = name;
        used_.insert(name);
    }

    /// The value of an attribute, which has the same type in ONNX.
    using AttributeValue = std::variant<std::int64_t, std::vector<std::int64_t>, float>;
    /// The name and the value of an attribute of a node.
    using Attribute = std::pair<std::string_view, AttributeValue>;
    /// Adds a node and returns the name of its result, which is new.
    std::string node(std::string_view type, const std::vector<std::string>& inputs,
                     const std::vector<Attribute>& attributes = {});
    /// Adds a constant with the elements of a tensor and returns its name.
    std::string constant(const Tensor& tensor);
    /// Returns the name of a constant of integers [n], such as a shape or a list of dimensions. Adds it on its first
    /// use.
    std::string indices(const std::vector<std::int64_t>& numbers);
    /// Returns the name of a scalar float constant. Adds it on its first use.
    std::string number(double value);

    /// Adds the nodes for a call of an op. Throws Error for an op that has no ONNX form.
    void add(const Node& call);
    const Graph& graph() const { return from_; }

private:
    std::string new_name(std::string_view hint);
    /// Returns `name` if it is free, otherwise a new name.
    std::string free_name(const std::string& name);

    const Graph& from_;
    ::onnx::GraphProto& to_;
    std::map<int, std::string> names_;
    std::map<std::vector<std::int64_t>, std::string> indices_;
    std::map<double, std::string> numbers_;
    std::set<std::string> used_;  ///< names of tensors
    int count_ = 0;
};

}  // namespace radial::graph
