// Builds cuDNN's descriptors for one convolution, requests engines, and creates plans from them.
#include "radial/core/backend/cuda/cudnn_graph.h"

#include "radial/core/memory/cuda/check.h"

#include <algorithm>
#include <array>
#include <utility>

static_assert(CUDNN_VERSION >= 90800, "Radial's CUDA backend needs cuDNN 9.8 or newer");

namespace radial::cuda {
namespace {

// Identifiers of the operands in a graph and in the call that runs its plan.
constexpr std::int64_t x_id = 'x', w_id = 'w', y_id = 'y';

CudnnDescriptor create(cudnnBackendDescriptorType_t type, const std::string& what) {
    cudnnBackendDescriptor_t descriptor = nullptr;
    RADIAL_CUDNN(cudnnBackendCreateDescriptor(type, &descriptor), what);
    return CudnnDescriptor(descriptor);
}

/// Sets attributes of one descriptor. The message of every error contains `what`.
class Builder {
public:
    Builder(cudnnBackendDescriptorType_t type, std::string what)
        : what_(std::move(what)), descriptor_(create(type, what_)) {}

    Builder& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                 const void* values) {
        RADIAL_CUDNN(cudnnBackendSetAttribute(descriptor_.get(), name, type, count, values),
                     fmt::format("{}, attribute {}", what_, static_cast<int>(name)));
        return *this;
    }
    Builder& set(cudnnBackendAttributeName_t name, std::int64_t value) {
        return set(name, CUDNN_TYPE_INT64, 1, &value);
    }
    template <std::size_t count>
    Builder& set(cudnnBackendAttributeName_t name, const std::array<std::int64_t, count>& values) {
        return set(name, CUDNN_TYPE_INT64, count, values.data());
    }
    Builder& set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
        return set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
    }
    Builder& set(cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value) {
        return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
    }
    Builder& set(cudnnBackendAttributeName_t name, float value) { return set(name, CUDNN_TYPE_FLOAT, 1, &value); }

    CudnnDescriptor finalize() {
        RADIAL_CUDNN(cudnnBackendFinalize(descriptor_.get()), what_);
        return std::move(descriptor_);
    }

private:
    std::string what_;
    CudnnDescriptor descriptor_;
};

cudnnDataType_t cudnn_type(DType dtype) { return dtype == DType::bfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT; }

CudnnDescriptor tensor_descriptor(const ConvOperand& operand, std::int64_t id, const std::string& what) {
    return Builder(CUDNN_BACKEND_TENSOR_DESCRIPTOR, what)
        .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, cudnn_type(operand.dtype))
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, operand.extents)
        .set(CUDNN_ATTR_TENSOR_STRIDES, operand.strides)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, operand.alignment)
        .finalize();
}

CudnnDescriptor convolution_descriptor(const ConvGeometry& g, const std::string& what) {
    using Pair = std::array<std::int64_t, 2>;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    return Builder(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, what)
        .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2})
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Pair{g.pad_h, g.pad_w})
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Pair{g.pad_h, g.pad_w})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Pair{g.dilation_h, g.dilation_w})
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Pair{g.stride_h, g.stride_w})
        .finalize();
}

/// cuDNN's names for the operation and the attributes of one kind of convolution.
struct OperationNames {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
};

OperationNames names_of(ConvKind kind) {
    switch (kind) {
        case ConvKind::forward:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
        case ConvKind::backward_data:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
        case ConvKind::backward_weights:
            return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
    }
    throw Error("convolution on CUDA: unknown kind");
}

/// Finalises a descriptor that cuDNN may legitimately reject. Returns whether it was accepted.
bool try_finalize(cudnnBackendDescriptor_t descriptor) {
    const cudnnStatus_t status = cudnnBackendFinalize(descriptor);
    if (status != CUDNN_STATUS_SUCCESS) static_cast<void>(take_cudnn_error(status));
    return status == CUDNN_STATUS_SUCCESS;
}

}  // namespace

void DestroyDescriptor::operator()(void* descriptor) const {
    static_cast<void>(cudnnBackendDestroyDescriptor(descriptor));  // a destructor cannot report errors
}

CudnnDescriptor device_properties(const std::string& json) {
    return Builder(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "device properties")
        .set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, static_cast<std::int64_t>(json.size()),
             json.data())
        .finalize();
}

CudnnDescriptor operation_graph(const ConvProblem& problem, const PlanTarget& target) {
    const std::string what = describe(problem);
    const OperationNames names = names_of(problem.kind);
    const CudnnDescriptor x = tensor_descriptor(problem.x, x_id, what), w = tensor_descriptor(problem.w, w_id, what),
                          y = tensor_descriptor(problem.y, y_id, what),
                          convolution = convolution_descriptor(problem.geometry, what);
    const CudnnDescriptor operation = Builder(names.operation, what)
                                          .set(names.convolution, convolution.get())
                                          .set(names.x, x.get())
                                          .set(names.w, w.get())
                                          .set(names.y, y.get())
                                          .set(names.alpha, 1.0F)
                                          .set(names.beta, 0.0F)
                                          .finalize();
    Builder graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, what);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation.get());
    if (target.handle != nullptr) {
        graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &target.handle);
    }
    return graph.finalize();
}

std::vector<CudnnDescriptor> engine_configs(cudnnBackendDescriptor_t graph, cudnnBackendHeurMode_t mode,
                                            const PlanTarget& target, const ConvProblem& problem) {
    const std::string what = describe(problem);
    const CudnnDescriptor heuristics = create(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, what);
    const auto set = [&](cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const void* value) {
        RADIAL_CUDNN(cudnnBackendSetAttribute(heuristics.get(), name, type, 1, value), what);
    };
    set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, &graph);
    set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, &mode);
    if (target.properties != nullptr) {
        set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, &target.properties);
    }
    if (!try_finalize(heuristics.get())) return {};
    const auto results = [&](std::int64_t room, std::int64_t* count, cudnnBackendDescriptor_t* configs) {
        RADIAL_CUDNN(cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                              CUDNN_TYPE_BACKEND_DESCRIPTOR, room, count, configs),
                     what);
    };
    std::int64_t count = 0;
    results(0, &count, nullptr);
    std::vector<CudnnDescriptor> configs;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::int64_t i = 0; i < count; ++i) {
        configs.push_back(create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, what));
        raw.push_back(configs.back().get());
    }
    if (count > 0) results(count, &count, raw.data());
    configs.resize(std::min(configs.size(), static_cast<std::size_t>(count)));
    return configs;
}

std::vector<cudnnBackendNumericalNote_t> numerical_notes(cudnnBackendDescriptor_t config, const ConvProblem& problem) {
    const std::string what = describe(problem);
    const CudnnDescriptor engine = create(CUDNN_BACKEND_ENGINE_DESCRIPTOR, what);
    cudnnBackendDescriptor_t raw = engine.get();
    std::int64_t count = 0;
    RADIAL_CUDNN(
        cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &raw),
        what);
    std::vector<cudnnBackendNumericalNote_t> notes(CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
    RADIAL_CUDNN(cudnnBackendGetAttribute(raw, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                          CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes.data()),
                 what);
    notes.resize(static_cast<std::size_t>(count));
    return notes;
}

bool acceptable(std::span<const cudnnBackendNumericalNote_t> notes, const ConvProblem& problem) {
    const auto noted = [&](cudnnBackendNumericalNote_t note) { return std::ranges::find(notes, note) != notes.end(); };
    if (noted(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) || noted(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) {
        return false;
    }
    if (problem.x.dtype != DType::float32) return true;
    if (problem.tf32) return true;
    return !noted(CUDNN_NUMERICAL_NOTE_TENSOR_CORE) && !noted(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
}

std::optional<ConvPlan> ConvPlan::make(CudnnDescriptor config, const PlanTarget& target) {
    const std::string what = "execution plan";
    ConvPlan result;
    result.config_ = std::move(config);
    result.plan_ = create(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, what);
    const auto set = [&](cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const void* value) {
        RADIAL_CUDNN(cudnnBackendSetAttribute(result.plan_.get(), name, type, 1, value), what);
    };
    const cudnnBackendDescriptor_t raw = result.config_.get();
    set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, &raw);
    if (target.handle != nullptr) set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, &target.handle);
    if (target.properties != nullptr) {
        set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, &target.properties);
    }
    if (!try_finalize(result.plan_.get())) return std::nullopt;
    std::int64_t count = 0;
    RADIAL_CUDNN(cudnnBackendGetAttribute(result.plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                          CUDNN_TYPE_INT64, 1, &count, &result.workspace_bytes_),
                 what);
    return result;
}

void ConvPlan::execute(cudnnHandle_t handle, const ConvProblem& problem, void* x, void* w, void* y,
                       void* workspace) const {
    const std::array<std::int64_t, 3> ids{x_id, w_id, y_id};
    const std::array<void*, 3> data{x, w, y};
    const CudnnDescriptor pack = create(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "variant pack");
    const auto set = [&](cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                         const void* values) {
        RADIAL_CUDNN(cudnnBackendSetAttribute(pack.get(), name, type, count, values), describe(problem));
    };
    set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 3, ids.data());
    set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 3, data.data());
    set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    RADIAL_CUDNN(cudnnBackendFinalize(pack.get()), describe(problem));
    RADIAL_CUDNN(cudnnBackendExecute(handle, plan_.get(), pack.get()), describe(problem));
}

std::vector<ConvPlan> conv_plans(const ConvProblem& problem, const PlanTarget& target, std::size_t count,
                                 std::int64_t workspace_limit) {
    const CudnnDescriptor graph = operation_graph(problem, target);
    std::vector<ConvPlan> plans;
    std::optional<ConvPlan> smallest;
    for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
        for (CudnnDescriptor& config : engine_configs(graph.get(), mode, target, problem)) {
            if (plans.size() == count) return plans;
            if (!acceptable(numerical_notes(config.get(), problem), problem)) continue;
            std::optional<ConvPlan> plan = ConvPlan::make(std::move(config), target);
            if (!plan) continue;
            if (plan->workspace_bytes() <= workspace_limit) {
                plans.push_back(std::move(*plan));
            } else if (!smallest || plan->workspace_bytes() < smallest->workspace_bytes()) {
                smallest = std::move(plan);
            }
        }
        if (!plans.empty()) return plans;
    }
    if (smallest) plans.push_back(std::move(*smallest));
    RADIAL_CHECK(!plans.empty(), "{}: cuDNN {} has no algorithm for this", describe(problem), cudnnGetVersion());
    return plans;
}

}  // namespace radial::cuda
