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

/// Runs a step again and again: the first calls eagerly, then recorded once as a graph, which every later call launches
/// as one. Hundreds of launches, each with the host's work behind it, become a single one.
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
/// A launch repeats the recorded work on the same memory; the function itself does not run again. So whatever changes
/// from step to step must lie in the device's memory:
/// - the batch: copied into the same tensors before each run(). Another shape, such as an epoch's last batch, needs
///   another StepGraph or an eager call of the step;
/// - the learning rate and Adam's step counts: optimizers keep them there (set_lr() goes outside the step);
/// - dropout's masks: default_generator() moves on at each launch as it would have in an eager step. Nothing else may
///   draw random numbers on the device in a recorded step.
/// Whatever the host would decide in the step (which layers run, training or evaluation) is as it was at the recording.
///
/// Tensors that the step assigned when it was recorded (`loss` above) stay valid, and each launch rewrites them, as
/// long as the StepGraph lives. Their memory, and all that the step allocates, is the graph's own: eager work between
/// launches neither changes it nor is changed. A gradient handle that eager work has replaced since is not the graph's.
/// Tensors that the recorded step writes in place (weights, running statistics) get a new version at each launch.
///
/// Not recorded: steps on the CPU, and a step that waits for the device (item()) or copies between host and device. It
/// throws while it is being recorded, and then runs eagerly for good; reason() says why. The failed attempt changes
/// nothing on the device. On the host it leaves what the step had assigned until then, such as gradients without
/// content: a step has to begin by dropping or overwriting what it accumulates into, as zero_grad() does above.
class StepGraph {
public:
    /// Eager calls before the recording: they choose convolution plans, make the optimizer's state, fill caches.
    static constexpr int warm_up = 2;

    StepGraph(Device device, std::function<void()> step);
    StepGraph(const StepGraph&) = delete;
    StepGraph& operator=(const StepGraph&) = delete;
    ~StepGraph();

    /// One step, submitted and not waited for. Throws what the step throws, except an Error while it is being recorded,
    /// after which the step is run eagerly. Not while another graph is being recorded.
    void run();
    /// Whether run() launches a graph.
    bool recorded() const { return graph_ != nullptr; }
    /// Why run() will not record a graph; empty when it has, or may yet.
    const std::string& reason() const { return reason_; }
    /// Submissions that one launch stands for; 0 before the recording.
    std::size_t nodes() const { return graph_ == nullptr ? 0 : graph_->nodes(); }

private:
    void record();
    void record_into(MemoryPool& pool);
    void launch();

    Device device_;
    std::function<void()> step_;
    int calls_ = 0;
    std::string reason_;
    std::shared_ptr<Storage> random_base_;  ///< where a launch's random numbers begin, one uint64
    std::uint64_t seed_ = 0, numbers_ = 0;  ///< of the generator: at the recording, and taken by a launch
    std::unique_ptr<MemoryPool> pool_;
    std::unique_ptr<device::Graph> graph_;  ///< goes before its memory does
    std::vector<std::weak_ptr<Storage>> written_;
};

}  // namespace radial
