// Builds ONNX models.
#include "radial/onnx/onnx.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/onnx/onnx_ops.h"
#include "radial/onnx/trace.h"

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

namespace radial {
namespace {

constexpr int opset = 13, ir_version = 7;  // of 2020; every current runtime reads them

/// Describes the input or the output of a graph. The dimension `batch` has any size.
void describe(::onnx::ValueInfoProto& info, const std::string& name, const Shape& shape, int batch) {
    info.set_name(name);
    ::onnx::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(::onnx::TensorProto::FLOAT);
    for (int d = 0; d < shape.rank(); ++d) {
        auto& dim = *type.mutable_shape()->add_dim();
        d == batch ? dim.set_dim_param("batch") : dim.set_dim_value(shape[d]);
    }
}

/// Renames the tensor `from` of a graph to `to`.
void rename(::onnx::GraphProto& graph, const std::string& from, const std::string& to) {
    for (::onnx::NodeProto& node : *graph.mutable_node()) {
        for (std::string& name : *node.mutable_input()) {
            if (name == from) name = to;
        }
        for (std::string& name : *node.mutable_output()) {
            if (name == from) name = to;
        }
    }
}

void check_names(const OnnxOptions& options, const Module& module) {
    RADIAL_CHECK(!options.input.empty() && !options.output.empty() && options.input != options.output,
                 "export_onnx: the input is named \"{}\" and the output \"{}\", expected two names", options.input,
                 options.output);
    for (const NamedTensor& each : module.state()) {
        RADIAL_CHECK(each.name != options.input && each.name != options.output,
                     "export_onnx: {} is the name of a parameter, expected another one for the input or output",
                     each.name);
    }
}

}  // namespace

std::string onnx_model(Module& module, const std::function<Tensor(const Tensor& x)>& function, const Shape& sample,
                       const OnnxOptions& options) {
    check_names(options, module);
    const NoGrad no_grad;
    graph::Graph traced = graph::trace(module, function, sample);
    graph::fold_batch_norms(traced);

    ::onnx::ModelProto model;
    model.set_ir_version(ir_version);
    model.set_producer_name("Radial");
    model.add_opset_import()->set_version(opset);
    for (const auto& [key, text] : options.metadata) {
        auto& entry = *model.add_metadata_props();
        entry.set_key(key);
        entry.set_value(text);
    }
    ::onnx::GraphProto& graph = *model.mutable_graph();
    graph.set_name(options.name);
    graph::Emitter emitter(traced, graph);
    emitter.set_name(traced.input, options.input);
    for (const graph::Node& node : traced.nodes) emitter.add(node);
    if (traced.output == traced.input) emitter.set_name(traced.output, emitter.node("Identity", {options.input}));
    rename(graph, emitter.name_of(traced.output), options.output);
    const graph::Value &input = traced.at(traced.input), &output = traced.at(traced.output);
    describe(*graph.add_input(), options.input, input.tensor.shape(), input.batch);
    describe(*graph.add_output(), options.output, output.tensor.shape(), output.batch);
    try {
        ::onnx::checker::check_model(model);
    } catch (const std::exception& error) {
        throw Error(fmt::format("export_onnx: the ONNX checker refuses the model: {}", error.what()));
    }
    std::string content;
    RADIAL_CHECK(model.SerializeToString(&content), "export_onnx: the model is larger than the 2 GB that ONNX allows");
    return content;
}

void export_onnx(const std::filesystem::path& path, Module& module,
                 const std::function<Tensor(const Tensor& x)>& function, const Shape& sample,
                 const OnnxOptions& options) {
    write_file(path, onnx_model(module, function, sample, options));
}

}  // namespace radial
