// The part of cuDNN's graph interface that is needed to run one convolution: graphs, engine configurations and plans.
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

/// The device that plans are made for: that of a handle or, without a handle, the one described by a finalised
/// device-properties descriptor. A plan made without a handle can be created on any machine, but not run.
struct PlanTarget {
    cudnnHandle_t handle = nullptr;
    cudnnBackendDescriptor_t properties = nullptr;
};

/// Creates a device-properties descriptor from `json`, which has the format of
/// CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION. Requires no device.
CudnnDescriptor device_properties(const std::string& json);

/// A graph with the single operation that solves `problem`. Throws Error naming the problem when cuDNN rejects it.
CudnnDescriptor operation_graph(const ConvProblem& problem, const PlanTarget& target);

/// The engine configurations that cuDNN proposes for the graph, best first. May be empty.
std::vector<CudnnDescriptor> engine_configs(cudnnBackendDescriptor_t graph, cudnnBackendHeurMode_t mode,
                                            const PlanTarget& target, const ConvProblem& problem);

/// cuDNN's numerical notes on the engine of a configuration (CUDNN_NUMERICAL_NOTE_*).
std::vector<cudnnBackendNumericalNote_t> numerical_notes(cudnnBackendDescriptor_t config, const ConvProblem& problem);

/// Whether an engine with these notes is acceptable for `problem`: it must be deterministic, must not reduce the
/// precision of sums, and must not round float32 inputs unless the problem allows TF32.
bool acceptable(std::span<const cudnnBackendNumericalNote_t> notes, const ConvProblem& problem);

/// A plan to solve one problem, ready to run.
class ConvPlan {
public:
    /// Creates the plan for a configuration. Returns nothing if the engine does not support the problem or the device.
    static std::optional<ConvPlan> make(CudnnDescriptor config, const PlanTarget& target);

    /// The number of bytes of workspace that execute() needs.
    std::int64_t workspace_bytes() const { return workspace_bytes_; }

    /// Submits the work to the handle's stream. Throws Error naming the problem when cuDNN fails.
    void execute(cudnnHandle_t handle, const ConvProblem& problem, void* x, void* w, void* y, void* workspace) const;

private:
    CudnnDescriptor config_, plan_;
    std::int64_t workspace_bytes_ = 0;
};

/// Returns up to `count` plans for `problem` whose workspace is at most `workspace_limit` bytes, in cuDNN's order of
/// preference. If no plan is within the limit, returns the one with the smallest workspace. Throws Error when there is
/// no plan.
std::vector<ConvPlan> conv_plans(const ConvProblem& problem, const PlanTarget& target, std::size_t count,
                                 std::int64_t workspace_limit);

}  // namespace radial::cuda
