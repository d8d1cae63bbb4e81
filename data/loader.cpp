// Loader: worker threads prepare batches ahead of training, which are delivered in order through a bounded ring buffer.
#include "radial/data/loader.h"

#include "radial/data/preprocessor.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <tuple>
#include <utility>

namespace radial::data {
namespace {

void check_images(const ImageSet& dataset) {
    const Tensor &images = dataset.images, &labels = dataset.labels;
    RADIAL_CHECK((images.defined() || dataset.files) && labels.defined(),
                 "Loader: the data set has no images or no labels");
    RADIAL_CHECK(!images.defined() || !dataset.files, "Loader: the data set has both images and files");
    RADIAL_CHECK(dataset.files || (images.dtype() == DType::uint8 && images.rank() == 4),
                 "Loader: images are {}, expected uint8 [N, C, H, W]", images.str());
    RADIAL_CHECK(labels.dtype() == DType::int64 && labels.rank() == 1 && labels.size(0) == dataset.size(),
                 "Loader: labels are {}, expected int64[{}]", labels.str(), dataset.size());
    const Device device = dataset.files || images.device() == Device{} ? labels.device() : images.device();
    RADIAL_CHECK(device == Device{}, "Loader: the data set is on {}, expected cpu", device.str());
}

void check_options(const LoaderOptions& options) {
    RADIAL_CHECK(options.batch_size >= 1, "Loader: batch size is {}, expected at least 1", options.batch_size);
    RADIAL_CHECK(options.workers >= 0, "Loader: number of workers is {}, expected at least 0", options.workers);
    RADIAL_CHECK(options.rank >= 0 && options.rank < options.ranks, "Loader: rank is {}, expected 0 to {}",
                 options.rank, options.ranks - 1);
    RADIAL_CHECK(options.prefetch >= 1, "Loader: prefetch is {}, expected at least 1", options.prefetch);
    RADIAL_CHECK(options.repeats >= 1, "Loader: each sample {} times in a row, expected at least 1", options.repeats);
    RADIAL_CHECK(options.sampling == Sampling::uniform || options.shuffle,
                 "Loader: balanced sampling draws at random, expected shuffle to be set");
    check(options.mixing);
}

/// Mixes the images and labels of a batch. `random` is a stream that no sample uses.
void mix(Batch& batch, const MixingOptions& options, Generator random) {
    RADIAL_CHECK(batch.images.rank() == 4 && batch.labels.dtype() == DType::int64 && batch.labels.rank() == 1,
                 "Loader: mixes images with classes; inputs are {}, targets {}", batch.images.str(),
                 batch.labels.str());
    const std::vector<std::int64_t> partners = permutation(std::ssize(batch.indices), random);
    const double share = mix(batch.images, partners, options, random);
    batch.other_labels = Tensor::empty_like(batch.labels);
    const auto labels = batch.labels.values<std::int64_t>(), others = batch.other_labels.values<std::int64_t>();
    for (std::size_t i = 0; i < others.size(); ++i) others[i] = labels[static_cast<std::size_t>(partners[i])];
    batch.share = Tensor::full({}, share, DType::float32, Device{});
}

}  // namespace

/// Workers claim batch numbers in order, at most `prefetch` ahead of the last batch delivered, and store each batch in
/// slot (number % prefetch). Members under "guarded" are accessed only while the mutex is held.
class Loader::State {
public:
    State(std::shared_ptr<const Dataset> dataset, LoaderOptions options)
        : dataset_(std::move(dataset)), options_(std::move(options)) {
        check_options(options_);
        RADIAL_CHECK(dataset_ != nullptr, "Loader: there is no data set");
        if (const auto* const images = dynamic_cast<const ImageSet*>(dataset_.get())) check_images(*images);
        size_ = dataset_->size();
        preprocessor_.emplace(dataset_, options_);
        if (options_.sampling == Sampling::balanced) labels_ = labels_of(*dataset_);
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

    void start(std::int64_t epoch, EpochPosition given) {
        RADIAL_CHECK(given.batches >= 0 && given.samples >= 0 && given.samples <= size_,
                     "Loader: start after {} batches and {} samples, expected 0 to {} samples", given.batches,
                     given.samples, size_);
        auto plan = std::make_shared<const Plan>(Plan{epoch, draws_of(epoch), given, batches(given)});
        {
            const std::lock_guard lock(mutex_);
            ++run_;
            plan_ = std::move(plan);
            claimed_ = delivered_ = given.batches;
            std::fill(slots_.begin(), slots_.end(), Slot{});
        }
        room_.notify_all();
    }

    /// Returns the next batch. Skips batches whose samples were all left out.
    std::optional<Batch> next() {
        std::optional<Batch> batch = next_of_any_size();
        while (batch && batch->indices.empty() && options_.corrupt_files == CorruptFiles::leave_out)
            batch = next_of_any_size();
        return batch;
    }

    std::int64_t batches(EpochPosition given) const {
        const std::int64_t left = size_ - given.samples, full = left / options_.batch_size;
        return given.batches + full + (options_.drop_last || left % options_.batch_size == 0 ? 0 : 1);
    }
    EpochPosition position_after(std::int64_t batches) const {
        RADIAL_CHECK(batches >= 0 && batches <= this->batches({}), "Loader: start from batch {}, expected 0 to {}",
                     batches, this->batches({}));
        return {batches, std::min(batches * options_.batch_size, size_)};
    }
    std::int64_t batch_size() const { return options_.batch_size; }

    const Dataset& dataset() const { return *dataset_; }

    std::vector<std::string> problems() const {
        std::vector<std::string> lines;
        for (const auto& [sample, line] : preprocessor_->problems()) lines.push_back(line);
        return lines;
    }

private:
    /// An epoch: the order of its samples, its start position, and its number of batches.
    struct Plan {
        std::int64_t epoch;
        std::vector<Draw> order;
        EpochPosition given;
        std::int64_t batches;
    };
    struct Slot {
        std::optional<Batch> batch;
        std::exception_ptr error;
    };

    std::vector<Draw> draws_of(std::int64_t epoch) const {
        const bool balanced = options_.sampling == Sampling::balanced;
        return repeated_draws(balanced ? balanced_order(labels_.values<std::int64_t>(), options_.seed, epoch)
                                       : epoch_order(size_, options_.shuffle, options_.seed, epoch),
                              options_.repeats);
    }

    std::optional<Batch> next_of_any_size() {
        std::unique_lock lock(mutex_);
        RADIAL_CHECK(plan_ != nullptr, "Loader: next() before start()");
        if (delivered_ >= plan_->batches) return std::nullopt;
        if (options_.workers == 0) {
            Batch batch = prepare(*plan_, delivered_);
            ++delivered_;
            return batch;
        }
        Slot& slot = slots_[static_cast<std::size_t>(delivered_ % options_.prefetch)];
        ready_.wait(lock, [&] { return slot.batch.has_value() || slot.error != nullptr; });
        // The error stays in its slot, so that every further call throws it again until start().
        if (slot.error != nullptr) std::rethrow_exception(slot.error);
        std::optional<Batch> batch = std::exchange(slot.batch, std::nullopt);
        ++delivered_;
        lock.unlock();
        room_.notify_one();
        return batch;
    }

    /// Runs the loop of a worker, which ends when the loader is destroyed.
    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        for (;;) {
            room_.wait(lock, stop, [&] { return can_claim(); });
            if (stop.stop_requested()) return;
            const std::uint64_t run = run_;
            const std::int64_t number = claimed_++;
            const std::shared_ptr<const Plan> plan = plan_;
            lock.unlock();
            Slot slot;
            try {
                slot.batch = prepare(*plan, number);
            } catch (...) {
                slot.error = std::current_exception();
            }
            lock.lock();
            if (run != run_) continue;  // start() was called in the meantime, so this batch is obsolete
            slots_[static_cast<std::size_t>(number % options_.prefetch)] = std::move(slot);
            ready_.notify_one();
        }
    }

    bool can_claim() const {
        return plan_ != nullptr && claimed_ < std::min(plan_->batches, delivered_ + options_.prefetch);
    }

    /// Prepares batch `number` of an epoch: collects, normalises and transforms its samples. Does not access guarded
    /// members.
    Batch prepare(const Plan& plan, std::int64_t number) const {
        const std::int64_t whole_begin = plan.given.samples + (number - plan.given.batches) * options_.batch_size;
        const std::int64_t whole = std::min(options_.batch_size, size_ - whole_begin);
        const std::int64_t begin = whole_begin + whole * options_.rank / options_.ranks;
        const std::int64_t count = whole_begin + whole * (options_.rank + 1) / options_.ranks - begin;
        const auto first = plan.order.begin() + begin;
        Batch batch;
        std::tie(batch.images, batch.labels) = preprocessor_->batch({first, first + count}, plan.epoch, batch.indices);
        if (options_.mixing.on() && !batch.indices.empty())
            mix(batch, options_.mixing, sample_stream(options_.seed, plan.epoch, -1 - number));
        return batch;
    }

    std::shared_ptr<const Dataset> dataset_;
    std::int64_t size_ = 0;  ///< number of samples in the data set
    LoaderOptions options_;
    Tensor labels_;                             ///< of all samples, int64 [N]; undefined unless sampling is balanced
    std::optional<Preprocessor> preprocessor_;  ///< created after the options have been checked

    std::mutex mutex_;
    std::condition_variable_any room_;  ///< notified when a batch may be claimed
    std::condition_variable ready_;     ///< notified when a slot has been filled

    // ---- guarded ----
    std::uint64_t run_ = 0;  ///< number of calls of start(), to recognise obsolete batches
    std::shared_ptr<const Plan> plan_;
    std::int64_t claimed_ = 0;    ///< batches given to workers
    std::int64_t delivered_ = 0;  ///< batches given to the caller
    std::vector<Slot> slots_;

    std::vector<std::jthread> workers_;  ///< last, so that the threads end before the members they use are destroyed
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options)
    : state_(std::make_unique<State>(std::move(dataset), std::move(options))) {}
Loader::Loader(ImageSet dataset, LoaderOptions options)
    : Loader(std::make_shared<const ImageSet>(std::move(dataset)), std::move(options)) {}
Loader::~Loader() = default;
void Loader::start(std::int64_t epoch, std::int64_t first) { state_->start(epoch, state_->position_after(first)); }
void Loader::start(std::int64_t epoch, EpochPosition given) { state_->start(epoch, given); }
EpochPosition Loader::position_after(std::int64_t batches) const { return state_->position_after(batches); }
std::optional<Batch> Loader::next() { return state_->next(); }
std::int64_t Loader::batches() const { return state_->batches({}); }
std::int64_t Loader::batches(EpochPosition given) const { return state_->batches(given); }
std::int64_t Loader::batch_size() const { return state_->batch_size(); }
const Dataset& Loader::dataset() const { return state_->dataset(); }
std::vector<std::string> Loader::problems() const { return state_->problems(); }

}  // namespace radial::data
