// Sums gradients over the ranks while the backward pass is still running.
#pragma once

#include "radial/core/distributed/communicator.h"
#include "radial/core/tensor/tensor.h"

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

namespace radial {

/// Options of GradientReducer.
struct GradientReducerOptions {
    /// Size in bytes at which a bucket is full. Small buckets are sent early, large ones have less overhead. 0 means an
    /// eighth of all gradients, but at least 128 KiB and at most 25 MiB, so that most buckets are sent while backward()
    /// runs.
    std::size_t bucket_bytes = 0;
};

/// Timing of one bucket in one step, in seconds since its backward() began.
struct BucketTimes {
    std::size_t bytes = 0, parameters = 0;  ///< contents of the bucket
    double ready = 0;                       ///< when its last gradient was complete
    double begin = 0, end = 0;  ///< when its sum began and ended; 0 with NCCL, where the host cannot observe it
};
/// Timing of one step, in seconds since backward() began.
struct ReductionTimes {
    double backward = 0;               ///< when backward() returned
    double finish = 0;                 ///< when finish() returned
    std::vector<BucketTimes> buckets;  ///< in the order in which they are sent
};

/// Combines the gradients of the parts of a batch on several ranks into those of the whole batch: each rank
/// differentiates its share of the global mean loss, and the gradients of the shares are summed (Li et al. 2020,
/// "PyTorch Distributed", Sec. 3.2).
///
///     reducer.backward(loss, share);  // share = this rank's samples / all ranks' samples
///     reducer.finish();
///     clip_gradients(parameters, 1.0);
///
/// Buckets are filled in the reverse order of the parameters, which is roughly the order in which backward() reaches
/// them, and are sent in that order on every rank. A bucket is sent as soon as its gradients are complete and all
/// buckets before it have been sent. After finish() each gradient is a view into its bucket.
class GradientReducer {
public:
    /// Throws Error for a parameter that is undefined or given twice.
    GradientReducer(Communicator& ranks, const std::vector<Tensor>& parameters, GradientReducerOptions options = {});
    ~GradientReducer();
    GradientReducer(const GradientReducer&) = delete;
    GradientReducer& operator=(const GradientReducer&) = delete;

    /// Differentiates share * loss; see radial::backward(). Adds to existing gradients, so batches can be accumulated
    /// by calling radial::backward() first. Throws as radial::backward() does, and throws Error when finish() was not
    /// called after the last backward() or send(), or when a gradient changes after it was sent (because two recomputed
    /// segments share the parameter).
    void backward(const Tensor& loss, double share);
    /// Sends the gradients that radial::backward() has computed. Use this instead of backward() when a backward pass
    /// reaches a parameter several times (recomputed segments that share it), so that gradients are complete only at
    /// its end. Throws Error when finish() was not called after the last backward() or send().
    void send();
    /// Waits until every gradient is the sum over the ranks. A parameter without a gradient on this rank keeps none;
    /// the caller must ensure that the parameter has none on any rank. Throws RankLost, and Error when neither
    /// backward() nor send() was called since the last finish().
    void finish();
    /// Timing of the last finished step.
    const ReductionTimes& times() const { return times_; }
    /// The number of buckets.
    std::size_t buckets() const;

private:
    struct Slot;
    struct Bucket;
    using Clock = std::chrono::steady_clock;

    void build(const std::vector<Tensor>& parameters, std::size_t bucket_bytes);
    void begin();
    void ready(const TensorImpl* leaf);
    void pack(Bucket& bucket, Slot& slot);
    void send_ready();
    double since_start(Clock::time_point time) const;

    Communicator& ranks_;
    std::vector<Bucket> buckets_;
    std::unordered_map<const TensorImpl*, std::pair<std::size_t, std::size_t>> places_;  ///< bucket, slot
    std::size_t sent_ = 0;                                                               ///< number of buckets sent
    bool under_way_ = false;
    Clock::time_point start_;
    ReductionTimes times_;
};

}  // namespace radial
