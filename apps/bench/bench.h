// The commands of radial-bench and their common parts: timing of repeated work, memory of the process, and a training
// step that can be repeated.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/precision.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/optim/optimizer.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace radial::bench {

/// Times a training step.
train::Command step_command();
/// Times a loss over many classes, forward and backward, and measures the memory that it allocates.
train::Command head_command();
/// Checks that training on a device gives the same losses as on the CPU.
train::Command parity_command();
/// Runs a network with given weights on given images, for comparison with another program.
train::Command replay_command();
/// Times the pipeline from JPEG files to batches, without training.
train::Command pipeline_command();
/// Times training steps on batches from a loader and, for comparison, on one batch that is already in memory.
train::Command loader_command();
/// Shows when the gradients of a training step are sent, and times a step on several ranks.
train::Command ranks_command();

/// Order statistics of a set of durations, in milliseconds.
struct Times {
    double median = 0, minimum = 0, lower_quartile = 0, upper_quartile = 0;
};

/// Runs `work` `warmup` times without timing it, then `repeats` (at least 1) times with timing.
Times measure(const std::function<void()>& work, std::int64_t warmup, std::int64_t repeats);

/// Order statistics of `milliseconds` (at least one value), interpolated linearly between neighbours.
Times summarise(std::vector<double> milliseconds);

/// The peak resident memory of this process, in bytes.
std::int64_t peak_resident_bytes();

/// The components of a step. 0 means the model's own value in models/registry.h.
struct StepSetup {
    std::string model = "lenetpp", loss = "rbf-softmax";
    ModelSettings model_settings{};
    LossSettings loss_settings;
    std::string device = "cpu";                              ///< "cpu", "cuda" or "cuda:N"
    train::Precision precision = train::Precision::float32;  ///< precision of the network
    std::string graph = "off";  ///< "on" submits the step to a CUDA device as one recorded graph
    bool evaluate = false;      ///< forward only, in evaluation mode without gradients
    std::int64_t batch = 128, dim = 0, image = 0, classes = 0;
};

/// A training step on one batch of noise: zeroed gradients, forward, loss, backward, and SGD with momentum 0.9 and no
/// clipping. With `evaluate`, only forward and loss, in evaluation mode without gradients.
class TrainingStep {
public:
    /// Throws Error for an unknown model, loss or device, for a size that does not fit the model, and for a setup that
    /// the device does not support.
    explicit TrainingStep(StepSetup setup);
    TrainingStep(const TrainingStep&) = delete;
    TrainingStep& operator=(const TrainingStep&) = delete;
    /// Uses another batch, float32 [N, C, H, W] and int64 [N], instead of the noise. Not possible with a recorded
    /// graph.
    void set_batch(const Tensor& images, const Tensor& labels);
    /// Runs one step. Does not wait for a CUDA device. Throws Error when the step is to be recorded as a graph and
    /// cannot be.
    void run();
    /// Waits for all steps and returns the loss of the last one.
    double loss() const { return loss_.item(); }

    /// The setup, with zeros replaced by the model's own values.
    const StepSetup& setup() const { return setup_; }
    Device device() const { return device_; }
    /// Floating-point operations of a step, without elementwise ones. Runs the model on one image to count them.
    double flops() const;

private:
    void step();
    void evaluate();

    StepSetup setup_;
    Device device_;
    train::Precision precision_;
    train::Classifier classifier_;
    std::unique_ptr<Optimizer> optimizer_;
    Tensor images_, labels_, loss_;
    std::unique_ptr<StepGraph> graph_;  ///< null when steps run eagerly
};

}  // namespace radial::bench
