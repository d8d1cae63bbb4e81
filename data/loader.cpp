// Loader: worker threads that prepare batches ahead of training, delivered in order through a bounded ring.
#include "radial/data/loader.h"

#include "radial/core/random.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <stop_token>
#include <thread>
#include <utility>

namespace radial::data {
namespace {

/// The finaliser of SplitMix64 (Steele et al. 2014): a bijection in which every input bit moves every output bit.
std::uint64_t splitmix64(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EB;
    return x ^ (x >> 31U);
}

/// What each of the 256 bytes becomes after normalisation.
using Table = std::array<float, 256>;

/// One table a channel. Float arithmetic in the documented order, so that results match other frameworks bit for bit.
std::vector<Table> normalisation_tables(std::int64_t channels, const std::vector<float>& mean,
                                        const std::vector<float>& deviation) {
    const auto fits = [&](const std::vector<float>& v) { return v.size() == 1 || std::ssize(v) == channels; };
    RADIAL_CHECK(fits(mean), "Loader: {} means for images of {} channels, expected 1 or {}", mean.size(), channels,
                 channels);
    RADIAL_CHECK(fits(deviation), "Loader: {} deviations for images of {} channels, expected 1 or {}", deviation.size(),
                 channels, channels);
    std::vector<Table> tables(static_cast<std::size_t>(channels));
    for (std::size_t c = 0; c < tables.size(); ++c) {
        const float m = mean[mean.size() == 1 ? 0 : c], d = deviation[deviation.size() == 1 ? 0 : c];
        RADIAL_CHECK(std::isfinite(m), "Loader: mean of channel {} is {}, expected a finite number", c, m);
        RADIAL_CHECK(std::isfinite(d) && d > 0, "Loader: deviation of channel {} is {}, expected above 0", c, d);
        for (std::size_t byte = 0; byte < 256; ++byte) {
            tables[c][byte] = (static_cast<float>(byte) / 255.0F - m) / d;
        }
    }
    return tables;
}

void check_dataset(const Dataset& dataset) {
    const Tensor &images = dataset.images, &labels = dataset.labels;
    RADIAL_CHECK(images.defined() && labels.defined(), "Loader: the data set has no images or no labels");
    RADIAL_CHECK(images.dtype() == DType::uint8 && images.rank() == 4,
                 "Loader: images are {}, expected uint8 [N, C, H, W]", images.str());
    RADIAL_CHECK(labels.dtype() == DType::int64 && labels.rank() == 1 && labels.size(0) == images.size(0),
                 "Loader: labels are {}, expected int64[{}]", labels.str(), images.size(0));
    RADIAL_CHECK(images.device() == Device{} && labels.device() == Device{},
                 "Loader: the data set is on {}, expected cpu", images.device().str());
}

void check_options(const LoaderOptions& options) {
    RADIAL_CHECK(options.batch_size >= 1, "Loader: batch size is {}, expected at least 1", options.batch_size);
    RADIAL_CHECK(options.workers >= 0, "Loader: number of workers is {}, expected at least 0", options.workers);
    RADIAL_CHECK(options.prefetch >= 1, "Loader: prefetch is {}, expected at least 1", options.prefetch);
}

}  // namespace

std::vector<std::int64_t> epoch_order(std::int64_t size, bool shuffle, std::uint64_t seed, std::int64_t epoch) {
    RADIAL_CHECK(size >= 0, "epoch_order: size is {}, expected at least 0", size);
    if (shuffle) {
        Generator generator(splitmix64(splitmix64(seed) ^ static_cast<std::uint64_t>(epoch)));
        return permutation(size, generator);
    }
    std::vector<std::int64_t> order(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), 0);
    return order;
}

/// Workers claim batch numbers in order, at most `prefetch` ahead of the last one delivered, and leave each in the
/// slot (number % prefetch). Everything under "guarded" is read and written with the mutex held only.
class Loader::State {
public:
    State(Dataset dataset, LoaderOptions options) : dataset_(std::move(dataset)), options_(std::move(options)) {
        check_options(options_);
        check_dataset(dataset_);
        dataset_.images = dataset_.images.to(Layout::row_major);
        tables_ = normalisation_tables(dataset_.images.size(1), options_.mean, options_.deviation);
        slots_.resize(static_cast<std::size_t>(options_.prefetch));
        for (int i = 0; i < options_.workers; ++i) {
            workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
        }
    }

    ~State() {
        for (std::jthread& worker : workers_) worker.request_stop();
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void start(std::int64_t epoch) {
        auto order =
            std::make_shared<const Order>(epoch_order(dataset_.size(), options_.shuffle, options_.seed, epoch));
        {
            const std::lock_guard lock(mutex_);
            ++run_;
            order_ = std::move(order);
            claimed_ = delivered_ = 0;
            std::fill(slots_.begin(), slots_.end(), Slot{});
        }
        room_.notify_all();
    }

    std::optional<Batch> next() {
        std::unique_lock lock(mutex_);
        RADIAL_CHECK(order_ != nullptr, "Loader: next() before start()");
        if (delivered_ == batches()) return std::nullopt;
        if (options_.workers == 0) {
            Batch batch = prepare(*order_, delivered_);
            ++delivered_;
            return batch;
        }
        Slot& slot = slots_[static_cast<std::size_t>(delivered_ % options_.prefetch)];
        ready_.wait(lock, [&] { return slot.batch.has_value() || slot.error != nullptr; });
        // The error stays in its slot: until start(), every further call throws it again.
        if (slot.error != nullptr) std::rethrow_exception(slot.error);
        std::optional<Batch> batch = std::exchange(slot.batch, std::nullopt);
        ++delivered_;
        lock.unlock();
        room_.notify_one();
        return batch;
    }

    std::int64_t batches() const {
        const std::int64_t full = dataset_.size() / options_.batch_size;
        return full + (options_.drop_last || dataset_.size() % options_.batch_size == 0 ? 0 : 1);
    }

    const Dataset& dataset() const { return dataset_; }

private:
    using Order = std::vector<std::int64_t>;
    struct Slot {
        std::optional<Batch> batch;
        std::exception_ptr error;
    };

    /// What every worker does until the loader goes away.
    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        for (;;) {
            room_.wait(lock, stop, [&] { return can_claim(); });
            if (stop.stop_requested()) return;
            const std::uint64_t run = run_;
            const std::int64_t number = claimed_++;
            const std::shared_ptr<const Order> order = order_;
            lock.unlock();
            Slot slot;
            try {
                slot.batch = prepare(*order, number);
            } catch (...) {
                slot.error = std::current_exception();
            }
            lock.lock();
            if (run != run_) continue;  // start() was called meanwhile: this batch is of an epoch nobody wants
            slots_[static_cast<std::size_t>(number % options_.prefetch)] = std::move(slot);
            ready_.notify_one();
        }
    }

    bool can_claim() const {
        return order_ != nullptr && claimed_ < std::min(batches(), delivered_ + options_.prefetch);
    }

    /// Gathers and normalises batch `number` of an epoch. Touches nothing that is guarded.
    Batch prepare(const Order& order, std::int64_t number) const {
        const std::int64_t begin = number * options_.batch_size;
        const std::int64_t count = std::min(options_.batch_size, dataset_.size() - begin);
        Shape shape = dataset_.images.shape();
        shape[0] = count;
        Batch batch{Tensor::empty(shape, DType::float32, Device{}), Tensor::empty({count}, DType::int64, Device{}),
                    Order(order.begin() + begin, order.begin() + begin + count)};
        const std::int64_t plane = shape[2] * shape[3];
        const std::uint8_t* const bytes = dataset_.images.data<std::uint8_t>();
        const std::span<const std::int64_t> all_labels = dataset_.labels.values<std::int64_t>();
        const std::span<std::int64_t> labels = batch.labels.values<std::int64_t>();
        float* to = batch.images.data<float>();
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const std::int64_t sample = batch.indices[i];
            labels[i] = checked_label(all_labels, sample);
            const std::uint8_t* from = bytes + sample * shape[1] * plane;
            for (const Table& table : tables_) {
                to = std::transform(from, from + plane, to, [&](std::uint8_t byte) { return table[byte]; });
                from += plane;
            }
        }
        return batch;
    }

    /// Checked at every use, since labels are the caller's to rewrite between epochs.
    std::int64_t checked_label(std::span<const std::int64_t> labels, std::int64_t sample) const {
        const std::int64_t label = labels[static_cast<std::size_t>(sample)];
        RADIAL_CHECK(dataset_.class_names.empty() || (label >= 0 && label < dataset_.classes()),
                     "Loader: label of sample {} is {}, expected 0 to {}", sample, label, dataset_.classes() - 1);
        return label;
    }

    Dataset dataset_;
    LoaderOptions options_;
    std::vector<Table> tables_;

    std::mutex mutex_;
    std::condition_variable_any room_;  ///< a batch may be claimed
    std::condition_variable ready_;     ///< a slot has been filled

    // ---- guarded ----
    std::uint64_t run_ = 0;  ///< counts start(), so that late batches are known
    std::shared_ptr<const Order> order_;
    std::int64_t claimed_ = 0;    ///< batches given to workers
    std::int64_t delivered_ = 0;  ///< batches given to the caller
    std::vector<Slot> slots_;

    std::vector<std::jthread> workers_;  ///< last, so that they end before what they use
};

Loader::Loader(Dataset dataset, LoaderOptions options)
    : state_(std::make_unique<State>(std::move(dataset), std::move(options))) {}
Loader::~Loader() = default;
void Loader::start(std::int64_t epoch) { state_->start(epoch); }
std::optional<Batch> Loader::next() { return state_->next(); }
std::int64_t Loader::batches() const { return state_->batches(); }
const Dataset& Loader::dataset() const { return state_->dataset(); }

}  // namespace radial::data
