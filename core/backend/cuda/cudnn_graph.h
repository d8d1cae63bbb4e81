// cuDNN's graph interface, as much of it as one convolution needs: graphs, engine configurations, plans.
#pragma once

#include "radial/core/backend/cuda/arguments.h"

#include <cudnn.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace radial::cuda {

struct DestroyDescriptor {
    void operator()(void* descriptor) const;
};
/// Owns a backend descriptor of cuDNN.
using CudnnDescriptor = std::unique_ptr<void, DestroyDescriptor>;

/// What plans are made for: a handle's device or, without one, the device that a finalised device-properties descriptor
/// describes. A plan for the latter can be made on any machine, and run on none.
struct PlanTarget {
    cudnnHandle_t handle = nullptr;
    cudnnBackendDescriptor_t properties = nullptr;
};

/// Describes a device by cuDNN's JSON, as CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION defines it. Needs no device.
CudnnDescriptor device_properties(const std::string& json);

/// A graph of the one operation that solves `problem`. Throws Error naming the problem where cuDNN refuses it.
CudnnDescriptor operation_graph(const ConvProblem& problem, const PlanTarget& target);

/// The engine configurations that cuDNN proposes for the graph, best first. Empty where it has none.
std::vector<CudnnDescriptor> engine_configs(cudnnBackendDescriptor_t graph, cudnnBackendHeurMode_t mode,
                                            const PlanTarget& target, const ConvProblem& problem);

/// What cuDNN notes on the arithmetic of a configuration's engine (CUDNN_NUMERICAL_NOTE_*).
std::vector<cudnnBackendNumericalNote_t> numerical_notes(cudnnBackendDescriptor_t config, const ConvProblem& problem);

/// Whether an engine with these notes computes what `problem` asks for: no rounding of float32 inputs, unless to TF32
/// where that is allowed, and the same bits in every run.
bool acceptable(std::span<const cudnnBackendNumericalNote_t> notes, const ConvProblem& problem);

/// A way to solve one problem, ready to run.
class ConvPlan {
public:
    /// Makes the plan of a configuration; nothing where the engine turns out not to support the problem or the device.
    static std::optional<ConvPlan> make(CudnnDescriptor config, const PlanTarget& target);

    /// Bytes of workspace that execute() wants.
    std::int64_t workspace_bytes() const { return workspace_bytes_; }

    /// Queues the work on the handle's stream. Throws Error naming the problem.
    void execute(cudnnHandle_t handle, const ConvProblem& problem, void* x, void* w, void* y, void* workspace) const;

private:
    CudnnDescriptor config_, plan_;
    std::int64_t workspace_bytes_ = 0;
};

/// The plans for `problem` whose workspace is at most `workspace_limit` bytes, in the order of cuDNN's preference, up
/// to `count` of them. Where none is so modest, the one with the smallest workspace. Throws Error where there is none.
std::vector<ConvPlan> conv_plans(const ConvProblem& problem, const PlanTarget& target, std::size_t count,
                                 std::int64_t workspace_limit);

}  // namespace radial::cuda
