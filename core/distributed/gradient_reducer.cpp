// Packs gradients into buckets, sends the buckets, and waits for them.
#include "radial/core/distributed/gradient_reducer.h"

#include "radial/core/autograd/autograd.h"

#include <algorithm>
#include <utility>

namespace radial {
namespace {

/// Gradients begin at multiples of this number of elements, which keeps vector loads aligned.
constexpr std::int64_t alignment = 16;

std::int64_t aligned(std::int64_t count) { return (count + alignment - 1) / alignment * alignment; }

std::size_t usual_bucket(const std::vector<Tensor>& parameters) {
    std::size_t bytes = 0;
    for (const Tensor& parameter : parameters) bytes += parameter.defined() ? parameter.bytes() : 0;
    return std::clamp(bytes / 8, std::size_t{128} << 10U, std::size_t{25} << 20U);
}

}  // namespace

/// The position of a parameter in a bucket.
struct GradientReducer::Slot {
    Tensor parameter;
    std::int64_t offset = 0;
    bool packed = false;
    Tensor view{};  ///< of the bucket's elements, with the shape and layout of the parameter
};

struct GradientReducer::Bucket {
    std::vector<Slot> slots;
    std::int64_t elements = 0;
    Tensor flat{};            ///< allocated on first use, like the views
    std::size_t waiting = 0;  ///< number of slots that are not packed yet
    std::unique_ptr<PendingOperation> sum{};
    Clock::time_point ready{};

    void allocate() {
        if (flat.defined()) return;
        const Tensor& first = slots.front().parameter;
        flat = Tensor::empty({elements}, first.dtype(), first.device());
        flat.fill_(0);
        for (Slot& slot : slots) {
            auto impl = std::make_shared<TensorImpl>();
            impl->shape = slot.parameter.shape();
            impl->dtype = flat.dtype();
            impl->layout = slot.parameter.layout();
            impl->offset = flat.impl()->offset + slot.offset;
            impl->storage = flat.impl()->storage;
            slot.view = Tensor(std::move(impl));
        }
    }
};

GradientReducer::GradientReducer(Communicator& ranks, const std::vector<Tensor>& parameters,
                                 GradientReducerOptions options)
    : ranks_(ranks) {
    build(parameters, options.bucket_bytes > 0 ? options.bucket_bytes : usual_bucket(parameters));
}

GradientReducer::~GradientReducer() = default;

std::size_t GradientReducer::buckets() const { return buckets_.size(); }

void GradientReducer::build(const std::vector<Tensor>& parameters, std::size_t bucket_bytes) {
    for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter) {
        RADIAL_CHECK(parameter->defined(), "GradientReducer: a parameter is undefined");
        const auto takes = [&](const Bucket& bucket) {
            const Tensor& first = bucket.slots.front().parameter;
            const auto bytes = static_cast<std::size_t>(bucket.elements) * size_of(first.dtype());
            return first.dtype() == parameter->dtype() && first.device() == parameter->device() && bytes < bucket_bytes;
        };
        if (buckets_.empty() || !takes(buckets_.back())) buckets_.emplace_back();
        Bucket& bucket = buckets_.back();
        const bool fresh =
            places_.emplace(parameter->impl().get(), std::pair(buckets_.size() - 1, bucket.slots.size())).second;
        RADIAL_CHECK(fresh, "GradientReducer: parameter {} was given twice", parameter->str());
        bucket.slots.push_back({.parameter = *parameter, .offset = bucket.elements});
        bucket.elements += aligned(parameter->numel());
    }
}

void GradientReducer::begin() {
    RADIAL_CHECK(!under_way_, "GradientReducer: backward() before finish()");
    under_way_ = true;
    start_ = Clock::now();
    sent_ = 0;
    for (Bucket& bucket : buckets_) {
        bucket.waiting = bucket.slots.size();
        for (Slot& slot : bucket.slots) slot.packed = false;
    }
}

void GradientReducer::send() {
    begin();
    times_.backward = 0;
    for (Bucket& bucket : buckets_) {
        for (Slot& slot : bucket.slots) pack(bucket, slot);
        send_ready();
    }
}

void GradientReducer::backward(const Tensor& loss, double share) {
    begin();
    const Tensor seed = Tensor::full(loss.shape(), share, loss.dtype(), loss.device());
    {
        const WatchGradients watch([this](const std::shared_ptr<TensorImpl>& leaf) { ready(leaf.get()); });
        radial::backward(loss, seed);
    }
    times_.backward = since_start(Clock::now());
}

void GradientReducer::ready(const TensorImpl* leaf) {
    const auto place = places_.find(leaf);
    if (place == places_.end()) return;  // a leaf that this reducer does not handle
    Bucket& bucket = buckets_[place->second.first];
    Slot& slot = bucket.slots[place->second.second];
    RADIAL_CHECK(!slot.packed,
                 "GradientReducer: the gradient of {} changed after it was sent; a parameter may belong to one "
                 "recomputed segment only",
                 slot.parameter.str());
    pack(bucket, slot);
    send_ready();
}

void GradientReducer::pack(Bucket& bucket, Slot& slot) {
    const NoGrad guard;
    bucket.allocate();
    const Tensor gradient = slot.parameter.grad();
    if (gradient.defined()) {
        if (gradient.impl() != slot.view.impl()) slot.view.copy_(gradient);
        slot.parameter.set_grad(slot.view);
    } else {
        slot.view.fill_(0);
    }
    slot.packed = true;
    --bucket.waiting;
}

void GradientReducer::send_ready() {
    while (sent_ < buckets_.size() && buckets_[sent_].waiting == 0) {
        Bucket& bucket = buckets_[sent_++];
        bucket.ready = Clock::now();
        bucket.sum = ranks_.start_sum(bucket.flat);
    }
}

void GradientReducer::finish() {
    RADIAL_CHECK(under_way_, "GradientReducer: finish() without backward()");
    under_way_ = false;
    for (Bucket& bucket : buckets_) {  // gradients that backward() did not reach
        for (Slot& slot : bucket.slots)
            if (!slot.packed) pack(bucket, slot);
        send_ready();
    }
    times_.buckets.clear();
    for (Bucket& bucket : buckets_) {
        bucket.sum->wait();
        const OperationTimes times = bucket.sum->times();
        times_.buckets.push_back({.bytes = bucket.flat.bytes(),
                                  .parameters = bucket.slots.size(),
                                  .ready = since_start(bucket.ready),
                                  .begin = since_start(times.begin),
                                  .end = since_start(times.end)});
        bucket.sum.reset();
    }
    times_.finish = since_start(Clock::now());
}

double GradientReducer::since_start(Clock::time_point time) const {
    return time == Clock::time_point{} ? 0.0 : std::chrono::duration<double>(time - start_).count();
}

}  // namespace radial
