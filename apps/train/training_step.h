// One training step: forward, loss, backward, clip, update.
#pragma once

#include "radial/apps/train/precision.h"
#include "radial/apps/train/ranks/rank_step.h"
#include "radial/apps/train/step_log.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/nn/module.h"
#include "radial/core/optim/optim.h"
#include "radial/core/optim/weight_average.h"
#include "radial/core/util/error.h"
#include "radial/data/loader.h"
#include "radial/losses/loss.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// Whether a training step is recorded as a CUDA graph.
enum class GraphUse : std::uint8_t {
    automatic,  ///< where that is possible
    on,         ///< and an error where it is not
    off,
};

/// Which step of a run it is.
struct StepPlace {
    std::int64_t epoch = 0, step = 0;  ///< from 1; the step of its epoch
    std::int64_t images = 0;           ///< in its batch
    double lr = 0;
    /// "at step 3 of epoch 1 (lr 0.05)"
    std::string str() const;
};

/// What a step computes with, and how.
struct StepSetup {
    Layer& model;
    Loss& loss;
    Optimizer& optimizer;
    double clip_norm = 0;              ///< 0: the gradient is left alone
    WeightAverage* average = nullptr;  ///< updated after each step
    /// Parts of a batch that go through the network one after another, their gradients added up: memory for the
    /// activations of one part only. Batch norms then take the statistics of each part; the loss is that of the whole
    /// batch, for which one that is not additive (Loss) costs another forward pass.
    std::int64_t accumulate = 1;
    Device device = {};  ///< where the model and the loss are
    Precision precision = Precision::float32;
    GraphUse graph = GraphUse::automatic;
    Communicator* ranks = nullptr;  ///< that share each batch; null for this process alone. Steps are then not recorded
    RankStepOptions rank_options = {};
};

/// A step after which a run cannot go on.
class BadStep : public NumericError {
public:
    BadStep(const std::string& message, double loss) : NumericError(message), loss_(loss) {}
    double loss() const { return loss_; }

private:
    double loss_;
};

/// Runs steps without waiting for a device, and keeps what they came to until the host looks.
class TrainingStep {
public:
    /// A step and what it came to.
    struct Finished {
        StepPlace place;
        StepNumbers numbers;
    };

    /// `note` is called with lines that a user should read. Throws Error for GraphUse::on on the CPU, and for fewer
    /// than one part a batch.
    explicit TrainingStep(StepSetup setup, std::function<void(const std::string&)> note = {});
    TrainingStep(const TrainingStep&) = delete;
    TrainingStep& operator=(const TrainingStep&) = delete;

    /// Submits one step at the learning rate of `place`. On the CPU throws what check() does, before anything but the
    /// loss's and the network's running statistics has changed. Throws Error when GraphUse::on cannot be.
    void run(const data::Batch& batch, const StepPlace& place);
    /// Whether take() is due before the next run().
    bool full() const { return log_.full(); }
    /// The steps since the last take(), oldest first. Waits for the device.
    std::vector<Finished> take();
    /// Throws BadStep, naming step and learning rate, when the loss or the gradient's norm is not finite.
    void check(const Finished& step) const;
    /// Forgets a step that another rank's loss has broken off, as if it had not begun. On the CPU; false where that
    /// cannot be (RankStep::undo()).
    bool abandon();
    /// Of the gradients of the last step; null for a process alone.
    const ReductionTimes* reduction() const { return ranks_ == nullptr ? nullptr : &ranks_->times(); }

private:
    /// A batch, or a part of one, where it is computed on.
    struct Samples {
        Tensor images, labels;
        Tensor other_labels, share;  ///< undefined where the images are not mixed

        bool mixed() const { return other_labels.defined(); }
        Samples rows(std::int64_t begin, std::int64_t end) const;
    };
    /// The graph of the batches that are mixed, or of those that are not, and what it trains on.
    struct Recorded {
        Samples samples;
        std::unique_ptr<StepGraph> graph;
    };
    void run_graph(Recorded& recorded, const data::Batch& batch);
    /// What a part's share of the batch is taken of.
    struct Whole {
        std::int64_t samples = 0;     ///< on this rank
        Tensor weight, other_weight;  ///< of the labels on all ranks (Loss::batch_weight())
    };
    void compute(const Samples& samples);
    RankNumbers in_parts(const Samples& samples, std::int64_t part);
    RankNumbers at_once(const Samples& samples, std::int64_t part);
    Whole whole_of(const Samples& samples) const;
    Tensor feature_of(const Tensor& images) const;
    RankNumbers judge(const Tensor& feature, const Samples& samples, const Whole& whole);
    RankNumbers judge_by(const Tensor& feature, const Tensor& labels, const Tensor& weight, std::int64_t own);
    void differentiate(const Tensor& loss, Sending sending);
    Tensor clip(const Tensor& loss) const;

    StepSetup setup_;
    std::function<void(const std::string&)> note_;
    std::vector<Tensor> parameters_;
    std::unique_ptr<RankStep> ranks_;  ///< null for a process alone
    bool looks_at_each_;               ///< the host sees each step's numbers before it goes on: the CPU
    StepLog log_;
    std::vector<StepPlace> submitted_;  ///< steps whose numbers the host has not seen
    std::array<Recorded, 2> recorded_;  ///< of plain batches, of mixed ones
    bool graph_told_ = false;
};

}  // namespace radial::train
