// A whole training step as one CUDA graph.
#pragma once

#include "radial/core/memory/allocator.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/memory/storage.h"
#include "radial/core/tensor/types.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace radial {

/// Runs a training step repeatedly. The first calls run it eagerly; then it is recorded once as a CUDA graph, which
/// every later call launches. This replaces hundreds of launches, each with work on the host, by a single one.
///
///     StepGraph graph(device, [&] {
///         optimizer.zero_grad();
///         loss = head.forward(model.forward(images), labels);
///         loss.backward();
///         clip_gradients(parameters, 1.0);
///         optimizer.step();
///     });
///     for (...) { images.copy_(batch); optimizer.set_lr(rate); graph.run(); }
///
/// A launch repeats the recorded work on the same memory; the step function itself does not run again. Everything that
/// changes from step to step must therefore be in the device's memory:
/// - the batch: copy it into the same tensors before each run(). Another shape, such as an epoch's last batch, needs
///   another StepGraph or an eager call of the step;
/// - the learning rate and Adam's step counts: optimizers keep them there (call set_lr() outside the step);
/// - dropout masks: each launch advances default_generator() as an eager step would. Nothing else in a recorded step
///   may draw random numbers on the device.
///
/// Everything that the host decides in the step (which layers run, training or evaluation) stays as it was when the
/// graph was recorded.
///
/// Tensors that the step assigned while being recorded (`loss` above) stay valid as long as the StepGraph exists, and
/// each launch overwrites them. Their memory, and everything else that the step allocates, belongs to the graph: eager
/// work between launches does not share it. A gradient handle that eager work has replaced since the recording is no
/// longer updated by the graph. Tensors that the recorded step writes in place (weights, running statistics) get a new
/// version at each launch.
///
/// Steps on the CPU are not recorded. A step that waits for the device (item()) or copies between host and device fails
/// while it is being recorded and runs eagerly from then on; reason() says why. The failed attempt changes nothing on
/// the device. On the host, what the step assigned before the failure remains, such as gradients with undefined
/// contents, so a step must begin by dropping or overwriting the tensors that it accumulates into, as zero_grad() does
/// above.
class StepGraph {
public:
    /// Number of eager calls before the recording. They select convolution plans, create the optimizer's state and fill
    /// caches.
    static constexpr int warm_up = 2;

    /// `step` runs on `device`.
    StepGraph(Device device, std::function<void()> step);
    StepGraph(const StepGraph&) = delete;
    StepGraph& operator=(const StepGraph&) = delete;
    ~StepGraph();

    /// Submits one step without waiting for it. Throws what the step throws, except that an Error during recording
    /// makes the step run eagerly. Must not be called while another graph is being recorded.
    void run();
    /// Whether run() launches a recorded graph.
    bool recorded() const { return graph_ != nullptr; }
    /// The reason why run() will not record a graph; empty if it has recorded one or may still do so.
    const std::string& reason() const { return reason_; }
    /// The number of operations in the graph; 0 before the recording.
    std::size_t nodes() const { return graph_ == nullptr ? 0 : graph_->nodes(); }

private:
    void record();
    void record_into(MemoryPool& pool);
    void launch();

    Device device_;
    std::function<void()> step_;
    int calls_ = 0;
    std::string reason_;
    std::shared_ptr<Storage> random_base_;  ///< position in the random stream at which a launch begins, one uint64
    std::uint64_t seed_ = 0, numbers_ = 0;  ///< the generator's seed at the recording, and the numbers drawn per launch
    std::unique_ptr<MemoryPool> pool_;
    std::unique_ptr<device::Graph> graph_;  ///< declared after pool_, so that it is destroyed before its memory
    std::vector<std::weak_ptr<Storage>> written_;
};

}  // namespace radial
