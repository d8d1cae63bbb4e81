// Counts samples, differentiates, and averages over the ranks.
#include "radial/apps/train/ranks/rank_step.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"
#include "radial/data/seeds.h"

#include <utility>

namespace radial::train {
namespace {

constexpr std::size_t most_kept = std::size_t{64} << 20;  // limit in bytes for copies of the buffers

std::vector<Tensor> buffers_of(const Module& module) {
    std::vector<Tensor> all;
    for (const auto& [name, tensor] : module.named_buffers()) all.push_back(tensor);
    return all;
}

/// The elements of several tensors, concatenated, in float64, which represents float32 values exactly and their sums
/// with little error.
Tensor joined(const std::vector<Tensor>& tensors, Device device) {
    std::int64_t count = 0;
    for (const Tensor& tensor : tensors) count += tensor.numel();
    const Tensor all = Tensor::empty({count}, DType::float64, device);
    std::int64_t at = 0;
    for (const Tensor& tensor : tensors) {
        all.rows(at, at + tensor.numel()).view(tensor.shape()).copy_(tensor);
        at += tensor.numel();
    }
    return all;
}

}  // namespace

/// While the object exists, default_generator() draws the random numbers of one step of a rank.
struct RankStep::Random {
    std::uint64_t seed = default_generator().seed(), counter = default_generator().counter();

    Random(int rank, std::int64_t epoch, std::int64_t step) {
        constexpr unsigned numbers_bits = 32;  // a step draws fewer than 2^32 numbers
        const std::uint64_t stream = data::stream_seed(data::stream_seed(seed, rank), epoch);
        default_generator().restore(stream, static_cast<std::uint64_t>(step) << numbers_bits);
    }
    ~Random() { default_generator().restore(seed, counter); }
    Random(const Random&) = delete;
    Random& operator=(const Random&) = delete;
};

RankStep::RankStep(Communicator& ranks, Layer& model, Loss& loss, const std::vector<Tensor>& parameters, Device device,
                   RankStepOptions options)
    : ranks_(ranks),
      device_(device),
      options_(options),
      reducer_(ranks, parameters, options.gradients),
      buffers_(buffers_of(model)),
      counted_(Tensor::zeros({1}, DType::int64, Device{})) {
    if (!options_.sync_batch_norm)
        for (const auto& [name, tensor] : model.named_buffers(BufferKind::statistic)) averaged_.push_back(tensor);
    for (const Tensor& buffer : buffers_of(loss)) buffers_.push_back(buffer);
}

RankStep::~RankStep() = default;

void RankStep::begin(std::int64_t samples, std::int64_t epoch, std::int64_t step) {
    end();
    first_ = epoch == 1 && step == 1;
    keep_buffers();
    counted_.fill_(static_cast<double>(samples));
    counting_ = ranks_.start_sum(counted_);  // overlaps with the forward pass
    over_ = std::make_unique<OverRanks>(ranks_, OverRanksOptions{.batch_norm = options_.sync_batch_norm});
    random_ = std::make_unique<Random>(ranks_.rank(), epoch, step);
}

void RankStep::keep_buffers() {
    if (kept_.empty()) {
        std::size_t bytes = 0;
        for (const Tensor& buffer : buffers_) bytes += buffer.bytes();
        if (bytes > most_kept) return;
        for (const Tensor& buffer : buffers_) kept_.push_back(Tensor::empty_like(buffer));
    }
    for (std::size_t i = 0; i < buffers_.size(); ++i) kept_[i].copy_(buffers_[i]);
}

std::int64_t RankStep::samples() {
    if (counting_ != nullptr) {
        counting_->wait();
        counting_.reset();
        all_samples_ = counted_.values<std::int64_t>()[0];
    }
    return all_samples_;
}

void RankStep::backward(const Tensor& loss, Sending sending) {
    if (sending == Sending::meanwhile)
        reducer_.backward(loss, 1);
    else
        loss.backward();
    if (sending == Sending::afterwards) reducer_.send();
}

RankNumbers RankStep::finish(const RankNumbers& own) {
    const NoGrad guard;
    std::vector<Tensor> values = {own.loss.detach(), own.correct.detach()};
    for (const LossMetric& metric : own.metrics) values.push_back(metric.value.detach());
    const Tensor numbers = joined(values, device_);
    const auto summing = ranks_.start_sum(numbers);
    Tensor statistics;
    std::unique_ptr<PendingOperation> averaging;
    if (!averaged_.empty()) {
        statistics = joined(averaged_, device_);
        averaging = ranks_.start_sum(statistics);
    }
    reducer_.finish();
    summing->wait();
    if (averaging != nullptr) {
        averaging->wait();
        const Tensor mean = statistics / Tensor::full({1}, ranks_.size(), DType::float64, device_);
        std::int64_t at = 0;
        for (const Tensor& buffer : averaged_) {
            buffer.copy_(mean.rows(at, at + buffer.numel()).view(buffer.shape()));
            at += buffer.numel();
        }
    }
    end();
    const auto number = [&](std::int64_t i) { return numbers.rows(i, i + 1).view({}); };
    RankNumbers whole{.loss = number(0), .correct = number(1), .metrics = own.metrics};
    for (std::size_t i = 0; i < whole.metrics.size(); ++i)
        whole.metrics[i].value = number(static_cast<std::int64_t>(2 + i));
    return whole;
}

bool RankStep::undo() {
    if (over_ == nullptr) return true;  // between steps there is nothing to undo
    end();
    if (first_ || kept_.size() != buffers_.size()) return false;
    for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].copy_(kept_[i]);
    return true;
}

void RankStep::end() {
    random_.reset();
    over_.reset();
}

}  // namespace radial::train
