// What a training step does beside computing when several ranks share its batch.
#pragma once

#include "radial/core/distributed/communicator.h"
#include "radial/core/distributed/gradient_reducer.h"
#include "radial/core/nn/module.h"
#include "radial/losses/loss.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace radial::train {

struct RankStepOptions {
    /// Batch norms look at all ranks' images; else at their own, and running statistics are averaged.
    bool sync_batch_norm = false;
    GradientReducerOptions gradients = {};
};

/// When the gradients of a backward pass are sent to the other ranks.
enum class Sending : std::uint8_t {
    none,        ///< more are to be added to them
    meanwhile,   ///< each as soon as it is final
    afterwards,  ///< where the pass comes to a parameter several times (GradientReducer::send())
};

/// Numbers of a step, scalars on its device.
struct RankNumbers {
    Tensor loss, kernel, correct;  ///< kernel undefined for a loss without one
};

/// For each step: begin(), forward, backward(), finish(). Statistics of the network are the same on all ranks after
/// each step: the running ones of batch norms that are not synchronised are averaged over the ranks, in equal parts.
/// Losses see to theirs themselves (core/distributed/communicator.h). Random numbers of a step (dropout, miners) follow
/// from the run's seed, the rank, the epoch and the step, and so need no saving.
class RankStep {
public:
    /// All but `parameters` must outlive it.
    RankStep(Communicator& ranks, Layer& model, Loss& loss, const std::vector<Tensor>& parameters, Device device,
             RankStepOptions options);
    ~RankStep();
    RankStep(const RankStep&) = delete;
    RankStep& operator=(const RankStep&) = delete;

    /// Begins a step of `samples` on this rank. Until finish(), losses and batch norms look at all ranks, and
    /// default_generator() is the rank's own.
    void begin(std::int64_t samples, std::int64_t epoch, std::int64_t step);
    /// Samples of the whole batch, that of all ranks. Waits for the others to begin. Throws RankLost.
    std::int64_t samples();
    /// Differentiates a part's share of the whole batch's loss. Gradients add up; the last part's call sends them.
    void backward(const Tensor& loss, Sending sending);
    /// Waits until all gradients are the whole batch's, and returns the whole batch's numbers, of which `own` are this
    /// rank's shares. Throws RankLost.
    RankNumbers finish(const RankNumbers& own);
    /// Puts back what a step that did not end has changed: buffers, and the random stream. False when it cannot, at the
    /// first step, where losses place their parameters.
    bool undo();
    /// When the last step's buckets travelled.
    const ReductionTimes& times() const { return reducer_.times(); }

private:
    struct Random;
    void keep_buffers();
    void end();

    Communicator& ranks_;
    Device device_;
    RankStepOptions options_;
    GradientReducer reducer_;
    std::vector<Tensor> buffers_;      ///< of the network and the loss
    std::vector<Tensor> kept_;         ///< copies of these from before the step; empty where they are too large
    std::vector<Tensor> averaged_;     ///< the network's statistics
    std::unique_ptr<OverRanks> over_;  ///< while a step is under way
    std::unique_ptr<Random> random_;   ///< likewise
    Tensor counted_;                   ///< int64 [1]: samples
    std::unique_ptr<PendingOperation> counting_;
    std::int64_t all_samples_ = 0;
    bool first_ = true;
};

}  // namespace radial::train
