// The ONNX form of each op.
#include "radial/onnx/onnx_ops.h"

#include "radial/core/backend/backend.h"
#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <numbers>
#include <span>
#include <utility>

namespace radial::graph {
namespace {

using Names = std::vector<std::string>;
using Ints = std::vector<std::int64_t>;

/// Adds the nodes of one op and returns the name of its result.
using AddOp = std::string (*)(Emitter& to, const Node& call);

std::string input(Emitter& to, const Node& call, std::size_t index = 0) { return to.name_of(call.inputs.at(index)); }

Names inputs(Emitter& to, const Node& call) {
    Names names;
    for (const int each : call.inputs) {
        if (each >= 0) names.push_back(to.name_of(each));
    }
    return names;
}

/// An op without attributes, which ONNX calls `Type`.
template <const char* Type>
std::string plain(Emitter& to, const Node& call) {
    return to.node(Type, inputs(to, call));
}

/// Arithmetic of two tensors, or of a tensor and a number.
template <const char* Type>
std::string arithmetic(Emitter& to, const Node& call) {
    Names names = inputs(to, call);
    if (names.size() == 1) names.push_back(to.number(call.attribute("number")));
    return to.node(Type, names);
}

std::string square(Emitter& to, const std::string& x) { return to.node("Mul", {x, x}); }

/// The cumulative distribution function of N(0, 1).
std::string normal_cdf(Emitter& to, const std::string& x) {
    const std::string erf = to.node("Erf", {to.node("Mul", {x, to.number(std::numbers::sqrt2 / 2)})});
    return to.node("Mul", {to.node("Add", {erf, to.number(1.0)}), to.number(0.5)});
}

/// min(max(x, 0), 6).
std::string up_to_six(Emitter& to, const std::string& x) {
    return to.node("Clip", {x, to.number(0.0), to.number(6.0)});
}
std::string hard_sigmoid(Emitter& to, const std::string& x) {
    return to.node("Mul", {up_to_six(to, to.node("Add", {x, to.number(3.0)})), to.number(1.0 / 6)});
}

std::string activated(Emitter& to, const std::string& x, Activation activation) {
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::relu:
            return to.node("Relu", {x});
        case Activation::silu:
            return to.node("Mul", {x, to.node("Sigmoid", {x})});
        case Activation::gelu:
            return to.node("Mul", {x, normal_cdf(to, x)});
        case Activation::relu6:
            return up_to_six(to, x);
        case Activation::hard_swish:
            return to.node("Mul", {x, hard_sigmoid(to, x)});
    }
    throw Error("export_onnx: unknown activation");
}

template <Activation activation>
std::string activation_op(Emitter& to, const Node& call) {
    return activated(to, input(to, call), activation);
}

/// The end of a batch norm: x plus the residual, if there is one, and the activation.
std::string with_residual(Emitter& to, const Node& call, std::string x, int residual) {
    if (residual >= 0) x = to.node("Add", {x, to.name_of(residual)});
    return activated(to, x, static_cast<Activation>(call.whole("activation")));
}

std::string batch_norm(Emitter& to, const Node& call) {
    RADIAL_CHECK(call.inputs.size() == 6,
                 "export_onnx: a batch norm uses the statistics of its batch, expected evaluation");
    const Names names = {input(to, call, 0), input(to, call, 1), input(to, call, 2), input(to, call, 4),
                         input(to, call, 5)};
    const std::string y =
        to.node("BatchNormalization", names, {{"epsilon", static_cast<float>(call.attribute("epsilon"))}});
    return with_residual(to, call, y, call.inputs[3]);
}

/// Returns the name of a value in another shape: a reshaped constant, or the result of a node that reshapes the value.
std::string reshaped(Emitter& to, int value, const std::vector<std::int64_t>& shape) {
    const Value& from = to.graph().at(value);
    if (from.constant && from.batch < 0) return to.constant(from.tensor.to(Layout::row_major).view(Shape(shape)));
    return to.node("Reshape", {to.name_of(value), to.indices(shape)});
}

std::string prelu(Emitter& to, const Node& call) {
    const int rank = to.graph().at(call.inputs[0]).tensor.rank();
    std::vector<std::int64_t> shape(static_cast<std::size_t>(rank - 1), 1);
    shape[0] = to.graph().at(call.inputs[1]).tensor.numel();
    return to.node("PRelu", {input(to, call), reshaped(to, call.inputs[1], shape)});
}

std::string conv2d(Emitter& to, const Node& call) {
    const std::int64_t h = call.whole("pad_h"), w = call.whole("pad_w");
    return to.node("Conv", inputs(to, call),
                   {{"strides", Ints{call.whole("stride_h"), call.whole("stride_w")}},
                    {"pads", Ints{h, w, h, w}},
                    {"dilations", Ints{call.whole("dilation_h"), call.whole("dilation_w")}},
                    {"group", call.whole("groups")}});
}

template <const char* Type>
std::string pool(Emitter& to, const Node& call) {
    const std::int64_t h = call.whole("pad_h"), w = call.whole("pad_w");
    return to.node(Type, inputs(to, call),
                   {{"kernel_shape", Ints{call.whole("window_h"), call.whole("window_w")}},
                    {"strides", Ints{call.whole("stride_h"), call.whole("stride_w")}},
                    {"pads", Ints{h, w, h, w}}});
}

std::string global_avg_pool(Emitter& to, const Node& call) {
    return to.node("Flatten", {to.node("GlobalAveragePool", inputs(to, call))}, {{"axis", 1}});
}

std::string scale_channels(Emitter& to, const Node& call) {
    return to.node("Mul", {input(to, call), to.node("Unsqueeze", {input(to, call, 1), to.indices({2, 3})})});
}

std::string linear(Emitter& to, const Node& call) { return to.node("Gemm", inputs(to, call), {{"transB", 1}}); }

std::string matmul(Emitter& to, const Node& call) {
    return to.node("Gemm", inputs(to, call),
                   {{"transA", call.whole("transpose_a")}, {"transB", call.whole("transpose_b")}});
}

/// The rows of x [N, D], divided by their lengths. Rows of length 0 stay 0.
std::string unit_rows(Emitter& to, int value) {
    const Value& x = to.graph().at(value);
    if (x.constant && x.batch < 0) return to.constant(radial::unit_rows(x.tensor));
    constexpr double smallest = 1e-30;
    const std::string name = to.name_of(value);
    const std::string length = to.node("ReduceL2", {name}, {{"axes", Ints{1}}, {"keepdims", 1}});
    return to.node("Div", {name, to.node("Max", {length, to.number(smallest)})});
}

std::string cosines(Emitter& to, const Node& call) {
    const std::string product =
        to.node("Gemm", {unit_rows(to, call.inputs[0]), unit_rows(to, call.inputs[1])}, {{"transB", 1}});
    return to.node("Clip", {product, to.number(-1.0), to.number(1.0)});
}

/// |x - w|^2 from the inner products of vectors that have been centred around the mean of w. w must be a constant.
std::string distances_by_product(Emitter& to, const Node& call) {
    const Tensor w = to.graph().at(call.inputs[1]).tensor;
    const Tensor centre = mean(w, {0}, true), centred = w - centre;
    const std::string x = to.node("Sub", {input(to, call), to.constant(centre)});
    const std::string own = to.node("ReduceSumSquare", {x}, {{"axes", Ints{1}}, {"keepdims", 1}});
    const std::string product = to.node("Gemm", {x, to.constant(centred)}, {{"transB", 1}});
    const std::string twice = to.node("Mul", {product, to.number(2.0)});
    const std::string lengths = to.node("Add", {own, to.constant(reshape(sum(square(centred), {1}), {1, w.size(0)}))});
    return to.node("Max", {to.node("Sub", {lengths, twice}), to.number(0.0)});
}

std::string squared_distances(Emitter& to, const Node& call) {
    const Value& w = to.graph().at(call.inputs[1]);
    // Differences are more accurate, but need N * C * D numbers.
    constexpr std::int64_t little = 1 << 16;
    if (w.constant && w.batch < 0 && w.tensor.numel() > little) return distances_by_product(to, call);
    const std::string rows = to.node("Unsqueeze", {input(to, call), to.indices({1})});
    const std::string others = to.node("Unsqueeze", {input(to, call, 1), to.indices({0})});
    return to.node("ReduceSumSquare", {to.node("Sub", {rows, others})}, {{"axes", Ints{2}}, {"keepdims", 0}});
}

std::string reshape_op(Emitter& to, const Node& call) {
    const Value& result = to.graph().at(call.output);
    std::vector<std::int64_t> shape(result.tensor.shape().begin(), result.tensor.shape().end());
    if (result.batch >= 0) shape[static_cast<std::size_t>(result.batch)] = -1;
    return to.node("Reshape", {input(to, call), to.indices(shape)});
}

std::string slice(Emitter& to, const Node& call) {
    return to.node("Slice", {input(to, call), to.indices({call.whole("begin")}), to.indices({call.whole("end")}),
                             to.indices({call.whole("dim")})});
}

/// Whether a value is zero for every input.
bool is_zero(const Value& value) {
    if (!value.constant) return false;
    const std::span<const float> elements = value.tensor.values<float>();
    return std::ranges::all_of(elements, [](float element) { return element == 0; });
}

/// Writes a Pad node if all parts but one are constant zeros, otherwise a Concat node.
std::string concat(Emitter& to, const Node& call) {
    const auto dim = static_cast<std::size_t>(call.whole("dim"));
    const auto zero = [&](int part) { return is_zero(to.graph().at(part)); };
    if (std::ranges::count_if(call.inputs, zero) + 1 != std::ssize(call.inputs))
        return to.node("Concat", inputs(to, call), {{"axis", call.whole("dim")}});
    const auto kept = std::ranges::find_if_not(call.inputs, zero);
    const auto rank = static_cast<std::size_t>(to.graph().at(*kept).tensor.rank());
    std::vector<std::int64_t> pads(2 * rank);
    for (auto part = call.inputs.begin(); part != call.inputs.end(); ++part) {
        if (part == kept) continue;
        pads[part < kept ? dim : rank + dim] += to.graph().at(*part).tensor.size(static_cast<int>(dim));
    }
    return to.node("Pad", {to.name_of(*kept), to.indices(pads)});
}

std::vector<std::int64_t> summed_dims(const Node& call) {
    std::vector<std::int64_t> dims;
    for (std::int64_t d = 0, mask = call.whole("dims"); mask != 0; ++d, mask >>= 1) {
        if ((mask & 1) != 0) dims.push_back(d);
    }
    return dims;
}

std::string sum_op(Emitter& to, const Node& call) {
    return to.node("ReduceSum", {input(to, call), to.indices(summed_dims(call))},
                   {{"keepdims", call.whole("keep_dims")}});
}

std::string mean_op(Emitter& to, const Node& call) {
    return to.node("ReduceMean", {input(to, call)},
                   {{"axes", summed_dims(call)}, {"keepdims", call.whole("keep_dims")}});
}

std::string max_op(Emitter& to, const Node& call) {
    return to.node("ReduceMax", {input(to, call)}, {{"axes", Ints{call.whole("dim")}}, {"keepdims", 0}});
}

std::string clamp(Emitter& to, const Node& call) {
    return to.node("Clip", {input(to, call), to.number(call.attribute("low")), to.number(call.attribute("high"))});
}

std::string power(Emitter& to, const Node& call) {
    Names names = inputs(to, call);
    if (names.size() == 1) names.push_back(to.number(call.attribute("exponent")));
    return to.node("Pow", names);
}

/// An op with one number, which is the ONNX attribute `alpha`.
template <const char* Type, const char* Number>
std::string with_alpha(Emitter& to, const Node& call) {
    return to.node(Type, {input(to, call)}, {{"alpha", static_cast<float>(call.attribute(Number))}});
}

std::string selu(Emitter& to, const Node& call) {
    return to.node("Selu", {input(to, call)}, {{"alpha", 1.6732632423543772F}, {"gamma", 1.0507009873554805F}});
}

std::string gelu_tanh(Emitter& to, const Node& call) {
    const std::string x = input(to, call), cube = to.node("Mul", {square(to, x), x});
    const std::string sum = to.node("Add", {x, to.node("Mul", {cube, to.number(0.044715)})});
    const std::string gate = to.node("Sigmoid", {to.node("Mul", {sum, to.number(1.5957691216057308)})});
    return to.node("Mul", {x, gate});
}

std::string mish(Emitter& to, const Node& call) {
    const std::string x = input(to, call);
    return to.node("Mul", {x, to.node("Tanh", {to.node("Softplus", {x})})});
}

std::string negative(Emitter& to, const std::string& x) { return to.node("Mul", {x, to.number(-1.0)}); }
std::string log_sigmoid(Emitter& to, const Node& call) {
    return negative(to, to.node("Softplus", {negative(to, input(to, call))}));
}

template <bool Soft>
std::string shrink(Emitter& to, const Node& call) {
    const float bound = static_cast<float>(call.attribute("bound"));
    return to.node("Shrink", {input(to, call)}, {{"lambd", bound}, {"bias", Soft ? bound : 0.0F}});
}

std::string glu(Emitter& to, const Node& call) {
    const std::int64_t dim = call.whole("dim");
    const std::int64_t extent = to.graph().at(call.inputs[0]).tensor.size(static_cast<int>(dim));
    const auto half = [&](std::int64_t begin) {
        return to.node("Slice",
                       {input(to, call), to.indices({begin}), to.indices({begin + extent / 2}), to.indices({dim})});
    };
    const std::string value = half(0);
    return to.node("Mul", {value, to.node("Sigmoid", {half(extent / 2)})});
}

// ONNX has a type for truth values; Radial represents them by 0 and 1.
std::string as_truth(Emitter& to, const std::string& x) { return to.node("Cast", {x}, {{"to", std::int64_t{9}}}); }
std::string as_number(Emitter& to, const std::string& x) { return to.node("Cast", {x}, {{"to", std::int64_t{1}}}); }

/// A comparison of two tensors, or of a tensor and a number.
template <const char* Type>
std::string comparison(Emitter& to, const Node& call) {
    return as_number(to, arithmetic<Type>(to, call));
}

template <const char* Type>
std::string logic(Emitter& to, const Node& call) {
    Names names = inputs(to, call);
    for (std::string& name : names) name = as_truth(to, name);
    return as_number(to, to.node(Type, names));
}

std::string where(Emitter& to, const Node& call) {
    return to.node("Where", {as_truth(to, input(to, call, 0)), input(to, call, 1), input(to, call, 2)});
}

constexpr char op_add[] = "Add", op_sub[] = "Sub", op_mul[] = "Mul", op_div[] = "Div", op_exp[] = "Exp",
               op_log[] = "Log", op_sqrt[] = "Sqrt", op_softplus[] = "Softplus", op_sigmoid[] = "Sigmoid",
               op_tanh[] = "Tanh", op_max_pool[] = "MaxPool", op_avg_pool[] = "AveragePool", op_abs[] = "Abs",
               op_sign[] = "Sign", op_floor[] = "Floor", op_ceil[] = "Ceil", op_round[] = "Round",
               op_reciprocal[] = "Reciprocal", op_sin[] = "Sin", op_cos[] = "Cos", op_tan[] = "Tan", op_asin[] = "Asin",
               op_acos[] = "Acos", op_atan[] = "Atan", op_sinh[] = "Sinh", op_cosh[] = "Cosh", op_erf[] = "Erf",
               op_softsign[] = "Softsign", op_max[] = "Max", op_min[] = "Min", op_equal[] = "Equal", op_less[] = "Less",
               op_less_or_equal[] = "LessOrEqual", op_greater[] = "Greater", op_greater_or_equal[] = "GreaterOrEqual",
               op_not[] = "Not", op_and[] = "And", op_or[] = "Or", op_leaky_relu[] = "LeakyRelu", op_elu[] = "Elu",
               op_celu[] = "Celu", number_alpha[] = "alpha", number_slope[] = "slope";

/// The ops that have an ONNX form, by name.
const std::map<std::string_view, AddOp>& forms() {
    static const std::map<std::string_view, AddOp> all = {
        {"add", arithmetic<op_add>},
        {"sub", arithmetic<op_sub>},
        {"mul", arithmetic<op_mul>},
        {"div", arithmetic<op_div>},
        {"exp", plain<op_exp>},
        {"log", plain<op_log>},
        {"sqrt", plain<op_sqrt>},
        {"softplus", plain<op_softplus>},
        {"sigmoid", plain<op_sigmoid>},
        {"tanh", plain<op_tanh>},
        {"abs", plain<op_abs>},
        {"sign", plain<op_sign>},
        {"floor", plain<op_floor>},
        {"ceil", plain<op_ceil>},
        {"round", plain<op_round>},
        {"reciprocal", plain<op_reciprocal>},
        {"sin", plain<op_sin>},
        {"cos", plain<op_cos>},
        {"tan", plain<op_tan>},
        {"asin", plain<op_asin>},
        {"acos", plain<op_acos>},
        {"atan", plain<op_atan>},
        {"sinh", plain<op_sinh>},
        {"cosh", plain<op_cosh>},
        {"erf", plain<op_erf>},
        {"softsign", plain<op_softsign>},
        {"maximum", plain<op_max>},
        {"minimum", plain<op_min>},
        {"pow", power},
        {"rsqrt",
         [](Emitter& to, const Node& call) { return to.node("Reciprocal", {to.node("Sqrt", {input(to, call)})}); }},
        {"expm1",
         [](Emitter& to, const Node& call) {
             return to.node("Sub", {to.node("Exp", {input(to, call)}), to.number(1.0)});
         }},
        {"log1p",
         [](Emitter& to, const Node& call) {
             return to.node("Log", {to.node("Add", {input(to, call), to.number(1.0)})});
         }},
        {"log2",
         [](Emitter& to, const Node& call) {
             return to.node("Mul", {to.node("Log", {input(to, call)}), to.number(std::numbers::log2e)});
         }},
        {"log10",
         [](Emitter& to, const Node& call) {
             return to.node("Mul", {to.node("Log", {input(to, call)}), to.number(std::numbers::log10e)});
         }},
        {"equal", comparison<op_equal>},
        {"less", comparison<op_less>},
        {"less_equal", comparison<op_less_or_equal>},
        {"greater", comparison<op_greater>},
        {"greater_equal", comparison<op_greater_or_equal>},
        {"not_equal",
         [](Emitter& to, const Node& call) { return as_number(to, to.node("Not", {arithmetic<op_equal>(to, call)})); }},
        {"logical_not", logic<op_not>},
        {"logical_and", logic<op_and>},
        {"logical_or", logic<op_or>},
        {"where", where},
        {"leaky_relu", with_alpha<op_leaky_relu, number_slope>},
        {"elu", with_alpha<op_elu, number_alpha>},
        {"celu", with_alpha<op_celu, number_alpha>},
        {"selu", selu},
        {"gelu_tanh", gelu_tanh},
        {"mish", mish},
        {"log_sigmoid", log_sigmoid},
        {"soft_shrink", shrink<true>},
        {"hard_shrink", shrink<false>},
        {"glu", glu},
        {"square", [](Emitter& to, const Node& call) { return square(to, input(to, call)); }},
        {"normal_cdf", [](Emitter& to, const Node& call) { return normal_cdf(to, input(to, call)); }},
        {"clamp", clamp},
        {"relu", activation_op<Activation::relu>},
        {"silu", activation_op<Activation::silu>},
        {"gelu", activation_op<Activation::gelu>},
        {"relu6", activation_op<Activation::relu6>},
        {"hard_swish", activation_op<Activation::hard_swish>},
        {"hard_sigmoid", [](Emitter& to, const Node& call) { return hard_sigmoid(to, input(to, call)); }},
        {"prelu", prelu},
        {"batch_norm", batch_norm},
        {"activated",
         [](Emitter& to, const Node& call) { return with_residual(to, call, input(to, call), call.inputs[1]); }},
        {"conv2d", conv2d},
        {"max_pool2d", pool<op_max_pool>},
        {"avg_pool2d", pool<op_avg_pool>},
        {"global_avg_pool", global_avg_pool},
        {"scale_channels", scale_channels},
        {"linear", linear},
        {"matmul", matmul},
        {"unit_rows", [](Emitter& to, const Node& call) { return unit_rows(to, call.inputs[0]); }},
        {"row_norms",
         [](Emitter& to, const Node& call) {
             return to.node("ReduceL2", {input(to, call)}, {{"axes", Ints{1}}, {"keepdims", 0}});
         }},
        {"cosines", cosines},
        {"squared_distances", squared_distances},
        {"distances", [](Emitter& to, const Node& call) { return to.node("Sqrt", {squared_distances(to, call)}); }},
        {"reshape", reshape_op},
        {"transpose",
         [](Emitter& to, const Node& call) {
             return to.node("Transpose", {input(to, call)}, {{"perm", Ints{1, 0}}});
         }},
        {"slice", slice},
        {"concat", concat},
        {"sum", sum_op},
        {"mean", mean_op},
        {"max", max_op},
        {"softmax",
         [](Emitter& to, const Node& call) {
             return to.node("Softmax", {input(to, call)}, {{"axis", call.whole("dim")}});
         }},
        {"log_softmax",
         [](Emitter& to, const Node& call) {
             return to.node("LogSoftmax", {input(to, call)}, {{"axis", call.whole("dim")}});
         }},
        {"log_sum_exp",
         [](Emitter& to, const Node& call) {
             return to.node("ReduceLogSumExp", {input(to, call)},
                            {{"axes", summed_dims(call)}, {"keepdims", call.whole("keep_dims")}});
         }},
    };
    return all;
}

}  // namespace

Emitter::Emitter(const Graph& from, ::onnx::GraphProto& to) : from_(from), to_(to) {}

std::string Emitter::new_name(std::string_view hint) {
    std::string name;
    do name = fmt::format("{}_{}", hint, ++count_);
    while (!used_.insert(name).second);
    return name;
}

std::string Emitter::free_name(const std::string& name) { return used_.insert(name).second ? name : new_name(name); }

namespace {

void set_value(::onnx::AttributeProto& attribute, const Emitter::AttributeValue& value) {
    if (const auto* const number = std::get_if<std::int64_t>(&value)) {
        attribute.set_type(::onnx::AttributeProto::INT);
        attribute.set_i(*number);
    } else if (const auto* const list = std::get_if<Ints>(&value)) {
        attribute.set_type(::onnx::AttributeProto::INTS);
        for (const std::int64_t each : *list) attribute.add_ints(each);
    } else {
        attribute.set_type(::onnx::AttributeProto::FLOAT);
        attribute.set_f(std::get<float>(value));
    }
}

}  // namespace

std::string Emitter::node(std::string_view type, const Names& inputs, const std::vector<Attribute>& attributes) {
    ::onnx::NodeProto& node = *to_.add_node();
    std::string name = new_name(type);
    node.set_op_type(std::string(type));
    node.set_name(name);
    for (const std::string& each : inputs) node.add_input(each);
    node.add_output(name);
    for (const auto& [attribute, value] : attributes) {
        ::onnx::AttributeProto& added = *node.add_attribute();
        added.set_name(std::string(attribute));
        set_value(added, value);
    }
    return name;
}

namespace {

/// Adds an initializer without elements and returns it.
::onnx::TensorProto& initializer(::onnx::GraphProto& graph, const std::string& name, const Shape& shape,
                                 ::onnx::TensorProto::DataType type) {
    ::onnx::TensorProto& tensor = *graph.add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    for (const std::int64_t extent : shape) tensor.add_dims(extent);
    return tensor;
}

void fill(::onnx::TensorProto& to, const Tensor& from) {
    const Tensor rows = from.to(Layout::row_major);
    to.set_raw_data(rows.raw(), rows.bytes());
}

}  // namespace

std::string Emitter::constant(const Tensor& tensor) {
    const std::string name = new_name("constant");
    fill(initializer(to_, name, tensor.shape(), ::onnx::TensorProto::FLOAT), tensor);
    return name;
}

std::string Emitter::indices(const std::vector<std::int64_t>& numbers) {
    std::string& name = indices_[numbers];
    if (!name.empty()) return name;
    name = new_name("constant");
    ::onnx::TensorProto& tensor = initializer(to_, name, Shape{std::ssize(numbers)}, ::onnx::TensorProto::INT64);
    for (const std::int64_t number : numbers) tensor.add_int64_data(number);
    return name;
}

std::string Emitter::number(double value) {
    std::string& name = numbers_[value];
    if (!name.empty()) return name;
    name = new_name("constant");
    initializer(to_, name, Shape{}, ::onnx::TensorProto::FLOAT).add_float_data(static_cast<float>(value));
    return name;
}

std::string Emitter::name_of(int value) {
    std::string& name = names_[value];
    if (!name.empty()) return name;
    const Value& from = from_.at(value);
    RADIAL_CHECK(from.constant, "export_onnx: a value is used before it is computed");
    if (from.batch < 0) {
        name = from.name.empty() ? new_name("constant") : free_name(from.name);
        fill(initializer(to_, name, from.tensor.shape(), ::onnx::TensorProto::FLOAT), from.tensor);
        return name;
    }
    // A constant with a batch dimension is one row, repeated for each sample.
    const Value& batch = from_.at(from_.input);
    RADIAL_CHECK(from.tensor.size(0) == batch.tensor.size(0),
                 "export_onnx: a constant {} has {} rows for a batch of {}, expected one a sample", from.tensor.str(),
                 from.tensor.size(0), batch.tensor.size(0));
    std::vector<std::int64_t> rest(from.tensor.shape().begin() + 1, from.tensor.shape().end());
    const std::string count =
        node("Slice", {node("Shape", {name_of(from_.input)}), indices({0}), indices({1}), indices({0})});
    const std::string shape = rest.empty() ? count : node("Concat", {count, indices(rest)}, {{"axis", 0}});
    names_[value] = node("Expand", {constant(from.tensor.rows(0, 1)), shape});
    return names_[value];
}

void Emitter::add(const Node& call) {
    const auto form = forms().find(call.op);
    RADIAL_CHECK(form != forms().end(), "export_onnx: the op {} has no ONNX form", call.op);
    set_name(call.output, form->second(*this, call));
}

}  // namespace radial::graph
