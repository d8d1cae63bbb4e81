// Sums of gradients over the ranks, formed while backward still runs.
#pragma once

#include "radial/core/distributed/communicator.h"
#include "radial/core/tensor/tensor.h"

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

namespace radial {

struct GradientReducerOptions {
    /// A bucket is full once it holds so many bytes: small ones leave soon, large ones with little overhead. 0 takes an
    /// eighth of all gradients, but from 128 kB to 25 MB: enough buckets for most to leave while backward() runs.
    std::size_t bucket_bytes = 0;
};

/// What a bucket did in a step, in seconds since its backward() began. On a device, where the host does not see it,
/// begin and end are 0.
struct BucketTimes {
    std::size_t bytes = 0, parameters = 0;
    double ready = 0;  ///< its last gradient was there
    double begin = 0, end = 0;
};
/// A step's.
struct ReductionTimes {
    double backward = 0;  ///< when backward() returned
    double finish = 0;    ///< when finish() returned
    std::vector<BucketTimes> buckets;
};

/// Makes the gradients of several ranks' parts of a batch those of the whole: each rank differentiates its share of the
/// global mean loss, and the shares' gradients are summed (Li et al. 2020, "PyTorch Distributed", Sec. 3.2).
///
///     reducer.backward(loss, share);  // share = this rank's samples / all ranks'
///     reducer.finish();
///     clip_gradients(parameters, 1.0);
///
/// Buckets are filled in the order opposite to that of the parameters, which is about that in which backward() reaches
/// them, and sent in that order, so that all ranks send alike. One is sent as soon as its gradients are final and those
/// before it are sent. After finish() a gradient is a view into its bucket.
class GradientReducer {
public:
    /// Throws Error for a parameter that is undefined or given twice.
    GradientReducer(Communicator& ranks, const std::vector<Tensor>& parameters, GradientReducerOptions options = {});
    ~GradientReducer();
    GradientReducer(const GradientReducer&) = delete;
    GradientReducer& operator=(const GradientReducer&) = delete;

    /// share * loss, differentiated; see radial::backward(). Adds to gradients that are there already, so that batches
    /// may be accumulated with radial::backward() before. Throws what that throws, and Error when backward() was called
    /// before without finish(), or when a gradient changes after it was sent (a parameter of two checkpointed
    /// segments).
    void backward(const Tensor& loss, double share);
    /// Sends the gradients that radial::backward() has formed: for a backward pass that comes to a parameter several
    /// times (checkpointed segments that share it), so that its gradient is final at the end alone. Takes backward()'s
    /// place before finish(). Throws Error when finish() was not called since the last of either.
    void send();
    /// Waits until every gradient is the sum over the ranks. A parameter without a gradient here keeps none; that it
    /// has none on any rank is the caller's to see to. Throws RankLost.
    void finish();
    /// Of the last step that was finished.
    const ReductionTimes& times() const { return times_; }
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
    std::size_t sent_ = 0;                                                               ///< buckets
    bool under_way_ = false;
    Clock::time_point start_;
    ReductionTimes times_;
};

}  // namespace radial
