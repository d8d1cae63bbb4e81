// One training step: forward, loss, backward, clip, update.
#pragma once

#include "radial/apps/train/precision.h"
#include "radial/apps/train/ranks/rank_step.h"
#include "radial/apps/train/step_log.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/nn/module.h"
#include "radial/core/optim/optimizer.h"
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
    automatic,  ///< if possible
    on,         ///< always; an error if it is not possible
    off,        ///< never
};
/// The names of the choices.
constexpr auto words_of(GraphUse /*value*/) { return std::to_array<std::string_view>({"auto", "on", "off"}); }

/// The place of a step in a run.
struct StepPlace {
    std::int64_t epoch = 0, step = 0;  ///< epoch, and step within the epoch, from 1
    std::int64_t images = 0;           ///< number of images in its batch: on this rank; after the step, on all ranks
    double lr = 0;                     ///< learning rate
    /// Text for messages: "at step 3 of epoch 1 (lr 0.05)".
    std::string str() const;
};

/// The components and settings of a training step.
struct StepSetup {
    Layer& model;                      ///< the network
    Loss& loss;                        ///< the loss
    Optimizer& optimizer;              ///< updates the parameters of both
    double clip_norm = 0;              ///< largest norm of the gradient; 0: no clipping
    WeightAverage* average = nullptr;  ///< average of the weights, updated after each step; null: none
    /// The number of parts of a batch that pass through the network one after another, so that only the activations of
    /// one part are in memory at a time. The gradients of the parts are summed. Batch norms use the statistics of each
    /// part. The loss is that of the whole batch; a loss that is not additive (Loss::additive()) requires a second
    /// forward pass of the network.
    std::int64_t accumulate = 1;
    Device device = {};                        ///< the device of the model and the loss
    Precision precision = Precision::float32;  ///< the precision of the network
    GraphUse graph = GraphUse::automatic;      ///< whether steps are recorded as a CUDA graph
    /// The ranks that share each batch; null for a single process. Steps of several ranks are not recorded as CUDA
    /// graphs.
    Communicator* ranks = nullptr;
    RankStepOptions rank_options = {};  ///< options of steps on several ranks
};

/// Thrown for a step after which a run cannot continue: its loss or the norm of its gradient is not finite.
class BadStep : public NumericError {
public:
    /// `loss` is the loss of the step.
    BadStep(const std::string& message, double loss) : NumericError(message), loss_(loss) {}
    /// The loss of the step.
    double loss() const { return loss_; }

private:
    double loss_;
};

/// Runs steps without waiting for the device, and keeps their results until the host reads them.
class TrainingStep {
public:
    /// A step and its results.
    struct Finished {
        StepPlace place;      ///< the place of the step in the run
        StepNumbers numbers;  ///< its results
    };

    /// All that `setup` refers to must outlive this object. `note` is called with lines that a user should read. Throws
    /// Error for GraphUse::on on the CPU or with several ranks, and when StepSetup::accumulate is below 1.
    explicit TrainingStep(StepSetup setup, std::function<void(const std::string&)> note = {});
    TrainingStep(const TrainingStep&) = delete;
    TrainingStep& operator=(const TrainingStep&) = delete;

    /// Submits one step with the learning rate of `place`. On the CPU, throws as check() does, before the optimizer
    /// changes any parameter; running statistics of the network and the loss may have changed. Throws Error when the
    /// step cannot be recorded despite GraphUse::on, and when full().
    void run(const data::Batch& batch, const StepPlace& place);
    /// Whether take() must be called before the next run(): on the CPU after each step, on other devices after 32
    /// steps.
    bool full() const { return log_.full(); }
    /// Returns the steps since the last take(), the oldest first. Waits for the device.
    std::vector<Finished> take();
    /// Throws BadStep, which names the step and the learning rate, when the loss or the norm of the gradient is not
    /// finite.
    void check(const Finished& step) const;
    /// Discards a step that failed because another rank was lost, as if it had not begun. Returns false when that is
    /// not possible: on a device other than the CPU, in a single process, and when RankStep::undo() returns false.
    bool abandon();
    /// Timing of the gradient reduction of the last step; null for a single process.
    const ReductionTimes* reduction() const { return ranks_ == nullptr ? nullptr : &ranks_->times(); }

private:
    /// A batch or a part of one, on the device of the step.
    struct Samples {
        Tensor images, labels;
        Tensor other_labels, share;  ///< undefined if the images are not mixed

        bool mixed() const { return other_labels.defined(); }
        Samples rows(std::int64_t begin, std::int64_t end) const;
    };
    /// A graph, either of mixed batches or of plain ones, and its input tensors.
    struct Recorded {
        Samples samples;
        std::unique_ptr<StepGraph> graph;
    };
    void run_graph(Recorded& recorded, const data::Batch& batch);
    /// The size and the label weights of the whole batch, from which the share of a part is computed.
    struct Whole {
        std::int64_t samples = 0;     ///< number of samples on this rank
        Tensor weight, other_weight;  ///< weight of the labels of all ranks (Loss::batch_weight())
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
    std::unique_ptr<RankStep> ranks_;  ///< null for a single process
    bool looks_at_each_;               ///< whether the host reads each step's results before the next step: on the CPU
    StepLog log_;
    std::vector<StepPlace> submitted_;  ///< steps whose results the host has not read
    std::array<Recorded, 2> recorded_;  ///< for plain batches, and for mixed ones
    bool graph_told_ = false;
};

}  // namespace radial::train
