// Runs ONNX models operator by operator, as opset 13 defines the operators.
#include "run_onnx.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <cstring>
#include <functional>
#include <map>
#include <numeric>

namespace radial::test {
namespace {

using Sizes = std::vector<std::int64_t>;

Tensor tensor_of(const ::onnx::TensorProto& from) {
    const Shape shape(Sizes(from.dims().begin(), from.dims().end()));
    if (from.data_type() == ::onnx::TensorProto::INT64)
        return Tensor::from(Sizes(from.int64_data().begin(), from.int64_data().end()), shape);
    std::vector<float> values(from.float_data().begin(), from.float_data().end());
    if (from.has_raw_data()) {
        values.resize(from.raw_data().size() / sizeof(float));
        std::memcpy(values.data(), from.raw_data().data(), from.raw_data().size());
    }
    return Tensor::from(values, shape);
}

/// A node with its inputs.
struct Call {
    const ::onnx::NodeProto& node;
    std::vector<Tensor> inputs;

    const ::onnx::AttributeProto* find(const std::string& name) const {
        for (const auto& attribute : node.attribute()) {
            if (attribute.name() == name) return &attribute;
        }
        return nullptr;
    }
    std::int64_t number(const std::string& name, std::int64_t otherwise) const {
        const auto* found = find(name);
        return found == nullptr ? otherwise : found->i();
    }
    double real(const std::string& name) const {
        const auto* found = find(name);
        RADIAL_CHECK(found != nullptr, "{}: no attribute {}", node.op_type(), name);
        return static_cast<double>(found->f());
    }
    Sizes list(const std::string& name) const {
        const auto* found = find(name);
        RADIAL_CHECK(found != nullptr, "{}: no attribute {}", node.op_type(), name);
        return {found->ints().begin(), found->ints().end()};
    }
    std::vector<int> dims(const std::string& name) const {
        std::vector<int> result;
        for (const std::int64_t dim : list(name))
            result.push_back(static_cast<int>(dim < 0 ? dim + inputs[0].rank() : dim));
        return result;
    }
    Sizes values(std::size_t input) const { return inputs.at(input).to_vector<std::int64_t>(); }
    const Tensor& operator[](std::size_t input) const { return inputs.at(input); }
};

Tensor padded_pool(const Call& call, bool largest) {
    const Sizes window = call.list("kernel_shape"), stride = call.list("strides"), pads = call.list("pads");
    const PoolGeometry geometry{.window_h = window[0],
                                .window_w = window[1],
                                .stride_h = stride[0],
                                .stride_w = stride[1],
                                .pad_h = pads[0],
                                .pad_w = pads[1]};
    return largest ? max_pool2d(call[0], geometry) : avg_pool2d(call[0], geometry);
}

Tensor conv(const Call& call) {
    const Sizes stride = call.list("strides"), pads = call.list("pads"), dilation = call.list("dilations");
    return conv2d(call[0], call[1], call.inputs.size() > 2 ? call[2] : Tensor(),
                  {.stride_h = stride[0],
                   .stride_w = stride[1],
                   .pad_h = pads[0],
                   .pad_w = pads[1],
                   .dilation_h = dilation[0],
                   .dilation_w = dilation[1],
                   .groups = call.number("group", 1)});
}

Tensor gemm(const Call& call) {
    const Tensor product = matmul(call[0], call[1], call.number("transA", 0) != 0, call.number("transB", 0) != 0);
    return call.inputs.size() > 2 ? product + call[2] : product;
}

Tensor reshaped(const Call& call) {
    Sizes shape = call.values(1);
    const std::int64_t known =
        std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, [](auto a, auto b) { return b < 0 ? a : a * b; });
    for (std::int64_t& extent : shape) {
        if (extent < 0) extent = call[0].numel() / known;
    }
    return reshape(call[0], Shape(shape));
}

Tensor unsqueezed(const Call& call) {
    Sizes shape(call[0].shape().begin(), call[0].shape().end());
    for (const std::int64_t dim : call.values(1)) shape.insert(shape.begin() + dim, 1);
    return reshape(call[0], Shape(shape));
}

Tensor padded(const Call& call) {
    Tensor x = call[0];
    const Sizes pads = call.values(1);
    const auto rank = static_cast<std::size_t>(x.rank());
    for (std::size_t d = 0; d < rank; ++d) {
        const auto zeros = [&](std::int64_t count) {
            Shape shape = x.shape();
            shape[static_cast<int>(d)] = count;
            return Tensor::zeros(shape);
        };
        std::vector<Tensor> parts;
        if (pads[d] > 0) parts.push_back(zeros(pads[d]));
        parts.push_back(x);
        if (pads[rank + d] > 0) parts.push_back(zeros(pads[rank + d]));
        x = concat(parts, static_cast<int>(d));
    }
    return x;
}

Tensor largest_along(const Call& call) {
    RADIAL_CHECK(call.number("keepdims", 1) == 0, "ReduceMax: keeps dimensions, expected none");
    return max(call[0], call.dims("axes").at(0));
}

Tensor normalised(const Call& call) {
    return batch_norm(call[0], call[1], call[2], call[3], call[4],
                      {.epsilon = static_cast<double>(call.find("epsilon")->f()), .training = false});
}

Tensor channel_slopes(const Call& call) {
    RADIAL_CHECK(call[1].rank() == call[0].rank() - 1, "PRelu: slope {} of input {}", call[1].str(), call[0].str());
    return prelu(call[0], reshape(call[1], {call[1].numel()}));
}

Tensor flattened(const Call& call) {
    RADIAL_CHECK(call.number("axis", 1) == 1, "Flatten: an axis other than 1");
    return flatten(call[0]);
}

Tensor shrunk(const Call& call) {
    const double bound = call.real("lambd"), bias = call.real("bias");
    const Tensor& x = call[0];
    return where(greater(x, bound), x - bias, where(less(x, -bound), x + bias, x * 0.0));
}

using Operator = std::function<Tensor(const Call&)>;
const std::map<std::string, Operator>& operators() {
    const auto keep = [](const Call& call) { return call.number("keepdims", 1) != 0; };
    static const std::map<std::string, Operator> all = {
        {"Add", [](const Call& c) { return c[0] + c[1]; }},
        {"Sub", [](const Call& c) { return c[0] - c[1]; }},
        {"Mul", [](const Call& c) { return c[0] * c[1]; }},
        {"Div", [](const Call& c) { return c[0] / c[1]; }},
        {"Max", [](const Call& c) { return maximum(c[0], c[1]); }},
        {"Clip", [](const Call& c) { return clamp(c[0], c[1].item(), c[2].item()); }},
        {"Exp", [](const Call& c) { return exp(c[0]); }},
        {"Log", [](const Call& c) { return log(c[0]); }},
        {"Sqrt", [](const Call& c) { return sqrt(c[0]); }},
        {"Erf", [](const Call& c) { return erf(c[0]); }},
        {"Relu", [](const Call& c) { return relu(c[0].clone()); }},
        {"Sigmoid", [](const Call& c) { return sigmoid(c[0]); }},
        {"Tanh", [](const Call& c) { return tanh(c[0]); }},
        {"Softplus", [](const Call& c) { return softplus(c[0]); }},
        {"Abs", [](const Call& c) { return abs(c[0]); }},
        {"Sign", [](const Call& c) { return sign(c[0]); }},
        {"Floor", [](const Call& c) { return floor(c[0]); }},
        {"Ceil", [](const Call& c) { return ceil(c[0]); }},
        {"Round", [](const Call& c) { return round(c[0]); }},
        {"Reciprocal", [](const Call& c) { return reciprocal(c[0]); }},
        {"Sin", [](const Call& c) { return sin(c[0]); }},
        {"Cos", [](const Call& c) { return cos(c[0]); }},
        {"Tan", [](const Call& c) { return tan(c[0]); }},
        {"Asin", [](const Call& c) { return asin(c[0]); }},
        {"Acos", [](const Call& c) { return acos(c[0]); }},
        {"Atan", [](const Call& c) { return atan(c[0]); }},
        {"Sinh", [](const Call& c) { return sinh(c[0]); }},
        {"Cosh", [](const Call& c) { return cosh(c[0]); }},
        {"Softsign", [](const Call& c) { return softsign(c[0]); }},
        {"Min", [](const Call& c) { return minimum(c[0], c[1]); }},
        {"Pow", [](const Call& c) { return pow(c[0], c[1]); }},
        {"LeakyRelu", [](const Call& c) { return leaky_relu(c[0].clone(), c.real("alpha")); }},
        {"Elu", [](const Call& c) { return elu(c[0], c.real("alpha")); }},
        {"Celu", [](const Call& c) { return celu(c[0], c.real("alpha")); }},
        {"Selu", [](const Call& c) { return c.real("gamma") * elu(c[0], c.real("alpha")); }},
        {"Shrink", shrunk},
        // Truth values are 0 and 1 in float32.
        {"Cast", [](const Call& c) { return c.number("to", 0) == 9 ? not_equal(c[0], 0.0) : c[0]; }},
        {"Equal", [](const Call& c) { return equal(c[0], c[1]); }},
        {"Less", [](const Call& c) { return less(c[0], c[1]); }},
        {"LessOrEqual", [](const Call& c) { return less_equal(c[0], c[1]); }},
        {"Greater", [](const Call& c) { return greater(c[0], c[1]); }},
        {"GreaterOrEqual", [](const Call& c) { return greater_equal(c[0], c[1]); }},
        {"Not", [](const Call& c) { return logical_not(c[0]); }},
        {"And", [](const Call& c) { return logical_and(c[0], c[1]); }},
        {"Or", [](const Call& c) { return logical_or(c[0], c[1]); }},
        {"Where", [](const Call& c) { return where(c[0], c[1], c[2]); }},
        {"Identity", [](const Call& c) { return c[0]; }},
        {"PRelu", channel_slopes},
        {"Conv", conv},
        {"Gemm", gemm},
        {"BatchNormalization", normalised},
        {"MaxPool", [](const Call& c) { return padded_pool(c, true); }},
        {"AveragePool", [](const Call& c) { return padded_pool(c, false); }},
        {"GlobalAveragePool",
         [](const Call& c) {
             return mean(c[0], {2, 3}, true);
         }},
        {"Flatten", flattened},
        {"Reshape", reshaped},
        {"Unsqueeze", unsqueezed},
        {"Transpose", [](const Call& c) { return transpose(c[0]); }},
        {"Concat", [](const Call& c) { return concat(c.inputs, static_cast<int>(c.number("axis", 0))); }},
        {"Pad", padded},
        {"Slice",
         [](const Call& c) { return slice(c[0], static_cast<int>(c.values(3)[0]), c.values(1)[0], c.values(2)[0]); }},
        {"ReduceSum",
         [keep](const Call& c) {
             const Sizes dims = c.values(1);
             return sum(c[0], std::vector<int>(dims.begin(), dims.end()), keep(c));
         }},
        {"ReduceMean", [keep](const Call& c) { return mean(c[0], c.dims("axes"), keep(c)); }},
        {"ReduceMax", largest_along},
        {"ReduceL2", [keep](const Call& c) { return sqrt(sum(square(c[0]), c.dims("axes"), keep(c))); }},
        {"ReduceSumSquare", [keep](const Call& c) { return sum(square(c[0]), c.dims("axes"), keep(c)); }},
        {"ReduceLogSumExp", [](const Call& c) { return log_sum_exp(c[0]); }},
        {"LogSoftmax", [](const Call& c) { return log_softmax(c[0]); }},
    };
    return all;
}

/// Throws Error unless `shape` is one of those that `info` allows.
void check_shape(const ::onnx::ValueInfoProto& info, const Shape& shape) {
    const auto& declared = info.type().tensor_type().shape();
    bool fits = declared.dim_size() == shape.rank();
    for (int d = 0; fits && d < shape.rank(); ++d)
        fits = !declared.dim(d).has_dim_value() || declared.dim(d).dim_value() == shape[d];
    RADIAL_CHECK(fits, "{}: is {}, but the model says {}", info.name(), shape.str(), declared.ShortDebugString());
}

}  // namespace

Tensor run_onnx(const std::string& serialized, const Tensor& x) {
    const NoGrad no_grad;
    ::onnx::ModelProto model;
    RADIAL_CHECK(model.ParseFromString(serialized), "not an ONNX model");
    ::onnx::shape_inference::InferShapes(model);
    const ::onnx::GraphProto& graph = model.graph();
    std::map<std::string, Tensor> tensors = {{graph.input(0).name(), x}};
    for (const auto& constant : graph.initializer()) tensors.emplace(constant.name(), tensor_of(constant));
    for (const auto& node : graph.node()) {
        Call call{.node = node, .inputs = {}};
        for (const std::string& name : node.input()) call.inputs.push_back(tensors.at(name));
        const auto found = operators().find(node.op_type());
        RADIAL_CHECK(found != operators().end(), "run_onnx: the operator {} is unknown", node.op_type());
        tensors.emplace(node.output(0), found->second(call));
    }
    check_shape(graph.input(0), x.shape());
    for (const auto& info : graph.value_info()) check_shape(info, tensors.at(info.name()).shape());
    check_shape(graph.output(0), tensors.at(graph.output(0).name()).shape());
    return tensors.at(graph.output(0).name());
}

}  // namespace radial::test
