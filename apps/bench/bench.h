// The commands of radial-bench, and what they share: times of repeated work, memory of the process, and a training step
// that can be run again and again.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/precision.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/optim/optim.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace radial::bench {

/// How long one training step takes.
train::Command step_command();
/// How long a loss over many classes takes, forward and backward, and what memory it asks for.
train::Command head_command();
/// Whether a device trains as the CPU does.
train::Command parity_command();
/// What a network computes from given weights and images, to be compared with another program's.
train::Command replay_command();
/// Times only the pipeline from JPEG files to batches.
train::Command pipeline_command();
/// Times training steps on batches from a loader and, for comparison, on one batch that is already loaded.
train::Command loader_command();
/// When the gradients of a training step travel, and what a step on several ranks costs.
train::Command ranks_command();

/// Order statistics of a set of durations, in milliseconds.
struct Times {
    double median = 0, minimum = 0, lower_quartile = 0, upper_quartile = 0;
};

/// Runs `work` `warmup` times unmeasured, then `repeats` (at least 1) times measured.
Times measure(const std::function<void()>& work, std::int64_t warmup, std::int64_t repeats);

/// Order statistics of `milliseconds` (at least one), linear between neighbours.
Times summarise(std::vector<double> milliseconds);

/// The most memory that this process ever had resident, in bytes.
std::int64_t peak_resident_bytes();

/// What a step consists of. A 0 stands for the model's own value in models/registry.h.
struct StepSetup {
    std::string model = "lenetpp", loss = "rbf-softmax";
    ModelSettings model_settings{};
    LossSettings loss_settings;
    std::string device = "cpu";                              ///< "cpu", "cuda" or "cuda:N"
    train::Precision precision = train::Precision::float32;  ///< precision of the network
    std::string graph = "off";  ///< "on" submits the step to a CUDA device as one recorded graph
    bool evaluate = false;      ///< forward alone, in evaluation without gradients
    std::int64_t batch = 128, dim = 0, image = 0, classes = 0;
};

/// Zeroed gradients, forward, loss, backward, SGD with momentum 0.9 and no clipping, on one batch of noise; or with
/// `evaluate` forward and loss alone, in evaluation without gradients.
class TrainingStep {
public:
    /// Throws Error for an unknown name, a size that does not fit the model, and what the device cannot do.
    explicit TrainingStep(StepSetup setup);
    TrainingStep(const TrainingStep&) = delete;
    TrainingStep& operator=(const TrainingStep&) = delete;
    /// Uses another batch, of float32 [N, C, H, W] and int64 [N], instead of the noise. Not for a recorded graph.
    void set_batch(const Tensor& images, const Tensor& labels);
    /// One step. Does not wait for a CUDA device. Throws Error when it should be a graph and cannot.
    void run();
    /// Waits until every step has been made; the loss of the last.
    double loss() const { return loss_.item(); }

    /// The setup, with zeros replaced by the model's own values.
    const StepSetup& setup() const { return setup_; }
    Device device() const { return device_; }
    /// Floating-point operations of a step, elementwise ones left out. Runs the model on one image to count them.
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
    std::unique_ptr<StepGraph> graph_;  ///< null when steps are to run eagerly
};

}  // namespace radial::bench
