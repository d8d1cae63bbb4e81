// The communication of a training step whose batch is shared by several ranks.
#pragma once

#include "radial/core/distributed/communicator.h"
#include "radial/core/distributed/gradient_reducer.h"
#include "radial/core/nn/module.h"
#include "radial/losses/loss.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace radial::train {

/// Options of RankStep.
struct RankStepOptions {
    /// Whether batch norms use the statistics of all ranks. Otherwise each rank uses its own, and the running
    /// statistics are averaged over the ranks after each step.
    bool sync_batch_norm = false;
    GradientReducerOptions gradients = {};  ///< how gradients are grouped into buckets
};

/// When the gradients of a backward pass are sent to the other ranks.
enum class Sending : std::uint8_t {
    none,        ///< not yet, because the gradients of further parts will be added
    meanwhile,   ///< each as soon as it is complete
    afterwards,  ///< all after the pass, which may reach a parameter several times (GradientReducer::send())
};

/// The results of a step, as scalars on the device of the step.
struct RankNumbers {
    Tensor loss, correct;               ///< loss, number of correct predictions
    std::vector<LossMetric> metrics{};  ///< metrics of the loss
};

/// One rank's part of each training step. For each step, call begin(), compute the loss, and call backward() and
/// finish(). After each step, the statistics of the network are the same on all ranks: the running statistics of batch
/// norms that are not synchronised are averaged over the ranks with equal weights. Losses synchronise their statistics
/// themselves (core/distributed/communicator.h). The random numbers of a step (dropout, miners) depend only on the seed
/// of the run, the rank, the epoch and the step, so they need not be saved.
class RankStep {
public:
    /// `ranks`, `model` and `loss` must outlive this object. `parameters` are all trained parameters, in the order of a
    /// forward pass. Throws the errors of GradientReducer's constructor.
    RankStep(Communicator& ranks, Layer& model, Loss& loss, const std::vector<Tensor>& parameters, Device device,
             RankStepOptions options);
    ~RankStep();
    RankStep(const RankStep&) = delete;
    RankStep& operator=(const RankStep&) = delete;

    /// Begins a step with `samples` samples on this rank. `epoch` and `step` (of the epoch) count from 1. Until
    /// finish(), losses and, if RankStepOptions::sync_batch_norm is set, batch norms use the samples of all ranks
    /// (OverRanks), and default_generator() draws the random numbers of this rank and step.
    void begin(std::int64_t samples, std::int64_t epoch, std::int64_t step);
    /// The number of samples in the whole batch, over all ranks. Waits until the other ranks have begun the step.
    /// Throws RankLost.
    std::int64_t samples();
    /// Differentiates `loss`, this part's share of the loss of the whole batch. The gradients of several parts are
    /// summed. `sending` determines when they are sent to the other ranks; the last part must send them.
    void backward(const Tensor& loss, Sending sending);
    /// Waits until the gradients are those of the whole batch, and returns the results of the whole batch: the sums,
    /// over all ranks, of their shares `own`. Throws RankLost.
    RankNumbers finish(const RankNumbers& own);
    /// Reverts the changes that an unfinished step made to buffers and the random generator. Returns false when that is
    /// not possible: at the first step of the run, in which losses initialise parameters, and when the buffers are
    /// larger than 64 MiB, so that no copies of them are kept.
    bool undo();
    /// Timing of the gradient reduction of the last finished step.
    const ReductionTimes& times() const { return reducer_.times(); }

private:
    struct Random;
    void keep_buffers();
    void end();

    Communicator& ranks_;
    Device device_;
    RankStepOptions options_;
    GradientReducer reducer_;
    std::vector<Tensor> buffers_;      ///< buffers of the network and the loss
    std::vector<Tensor> kept_;         ///< copies from before the step; empty if they are too large
    std::vector<Tensor> averaged_;     ///< batch-norm statistics of the network to average over the ranks
    std::unique_ptr<OverRanks> over_;  ///< null between steps
    std::unique_ptr<Random> random_;   ///< null between steps
    Tensor counted_;                   ///< int64 [1]: number of samples
    std::unique_ptr<PendingOperation> counting_;
    std::int64_t all_samples_ = 0;
    bool first_ = true;
};

}  // namespace radial::train
