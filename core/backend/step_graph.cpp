// Records a step, launches it, and falls back to eager execution when it cannot be recorded.
#include "radial/core/backend/step_graph.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/kernels/values.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"

#include <exception>
#include <utility>

namespace radial {
namespace {

/// Starts the capture, enters the memory pool and makes the generator count from `random_base`. The destructor undoes
/// all three.
class Recording {
public:
    Recording(int index, MemoryPool& pool, const std::uint64_t* random_base)
        : index_(index), pool_(pool), counter_(default_generator().counter()) {
        device::begin_capture(index_);
        pool_.enter();
        default_generator().count_from(random_base);
    }
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
    ~Recording() {
        Generator& generator = default_generator();
        generator.count_from(nullptr);
        generator.restore(generator.seed(), counter_);
        pool_.leave();
        if (ended_) return;
        try {
            static_cast<void>(device::end_capture(index_));
        } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the error that led here is the one to report
        }
    }

    /// Ends the recording. Throws Error when the device could not record the whole step.
    std::unique_ptr<device::Graph> end() {
        ended_ = true;
        auto graph = device::end_capture(index_);
        RADIAL_CHECK(graph != nullptr, "cuda:{}: the device could not record the step as a graph", index_);
        return graph;
    }

private:
    int index_;
    MemoryPool& pool_;
    std::uint64_t counter_;
    bool ended_ = false;
};

}  // namespace

StepGraph::StepGraph(Device device, std::function<void()> step) : device_(device), step_(std::move(step)) {
    RADIAL_CHECK(step_ != nullptr, "StepGraph: the step is empty");
    if (device_.kind == Device::Kind::cpu)
        reason_ = "a step on the CPU is not recorded";
    else
        random_base_ = std::make_shared<Storage>(sizeof(std::uint64_t), device_);
}

StepGraph::~StepGraph() = default;

void StepGraph::run() {
    RADIAL_CHECK(device_.kind == Device::Kind::cpu || !device::capturing(device_.index),
                 "StepGraph: run() was called while a graph is being recorded on {}", device_.str());
    if (graph_ != nullptr && numbers_ > 0 && seed_ != default_generator().seed()) {
        graph_.reset();  // the graph contains the old seed
        pool_.reset();
    }
    if (graph_ == nullptr && reason_.empty() && calls_ >= warm_up) record();
    if (graph_ != nullptr) return launch();
    if (calls_ < warm_up) ++calls_;
    step_();
}

void StepGraph::record() {
    // Returns the cached memory of eager steps to the device, so that the pool can use it. Otherwise the memory of
    // eager steps and that of the pool would be held at the same time.
    synchronize(device_);
    release_cached_memory(device_);
    auto pool = std::make_unique<MemoryPool>(device_);
    try {
        record_into(*pool);
        pool_ = std::move(pool);
    } catch (const Error& error) {
        reason_ = error.what();
    }
}

void StepGraph::record_into(MemoryPool& pool) {
    const WriteLog log;
    Recording recording(device_.index, pool, static_cast<const std::uint64_t*>(random_base_->data()));
    step_();
    seed_ = default_generator().seed();
    numbers_ = default_generator().counter();
    graph_ = recording.end();
    written_ = log.written();
}

void StepGraph::launch() {
    if (numbers_ > 0) {
        const std::uint64_t first = default_generator().reserve(numbers_);
        auto* const base = static_cast<std::uint64_t*>(random_base_->data());
        kernels::map(device_, 1, kernels::Fill<std::uint64_t>{base, first});
    }
    graph_->launch();
    for (const std::weak_ptr<Storage>& storage : written_)
        if (const auto alive = storage.lock()) alive->bump_version();
}

}  // namespace radial
