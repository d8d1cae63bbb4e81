// Convolutions with cuDNN: chooses a plan once for each problem, and runs it.
#include "radial/core/backend/backend.h"
#include "radial/core/backend/cuda/cudnn_graph.h"
#include "radial/core/backend/cuda/primitives.h"
#include "radial/core/memory/cuda/check.h"
#include "radial/core/memory/cuda/stream.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/util/lru_cache.h"

#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace radial::cuda {
namespace {

constexpr std::size_t plan_capacity = 1024;  // enough for a few networks, in training and evaluation
constexpr std::size_t searched_plans = 8;
constexpr int timed_runs = 3;
constexpr std::int64_t workspace_limit = std::int64_t{1} << 29;
constexpr std::int64_t busy_bytes = std::int64_t{1} << 26;
constexpr int busy_fills = 16;

struct DestroyEvent {
    void operator()(cudaEvent_t event) const { static_cast<void>(cudaEventDestroy(event)); }
};
using Event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, DestroyEvent>;

Event make_event() {
    cudaEvent_t event = nullptr;
    RADIAL_CUDA(cudaEventCreate(&event));
    return Event(event);
}

/// A convolution to run: the problem, and its tensors.
struct Call {
    ConvProblem problem;
    Tensor x, w, y;

    cudnnHandle_t handle() const { return cudnn_handle(problem.device); }
    cudaStream_t stream() const { return stream_of(problem.device); }
    const Tensor& result() const {
        return problem.kind == ConvKind::forward ? y : problem.kind == ConvKind::backward_data ? x : w;
    }
};

// The workspace is returned to the allocator before the work has run. This is safe, because the next user of the memory
// runs later on the same stream.
void execute(const Call& call, const ConvPlan& plan) {
    Tensor workspace;
    if (plan.workspace_bytes() > 0) {
        workspace = Tensor::empty({plan.workspace_bytes()}, DType::uint8, call.x.device());
    }
    plan.execute(call.handle(), call.problem, call.x.raw(), call.w.raw(), call.y.raw(),
                 workspace.defined() ? workspace.raw() : nullptr);
}

/// Gives the device some tenths of a millisecond of work, during which the host submits the runs to be timed. Otherwise
/// small convolutions would wait for the host, and all would take the same time.
void keep_busy(const Call& call) {
    const Tensor block = Tensor::empty({busy_bytes}, DType::uint8, call.x.device());
    for (int i = 0; i < busy_fills; ++i) device::fill(call.problem.device, block.raw(), 0, block.bytes());
}

/// Returns the total time of several runs in milliseconds, after a first run that is not timed. Returns infinity if the
/// plan does not run or there is not enough memory.
float measure(const Call& call, const ConvPlan& plan, const Event& start, const Event& stop) {
    try {
        execute(call, plan);
        keep_busy(call);
        RADIAL_CUDA(cudaEventRecord(start.get(), call.stream()));
        for (int run = 0; run < timed_runs; ++run) execute(call, plan);
        RADIAL_CUDA(cudaEventRecord(stop.get(), call.stream()));
        RADIAL_CUDA(cudaEventSynchronize(stop.get()));
    } catch (const Error&) {
        return std::numeric_limits<float>::infinity();
    }
    float milliseconds = 0;
    RADIAL_CUDA(cudaEventElapsedTime(&milliseconds, start.get(), stop.get()));
    return milliseconds;
}

/// Returns the plan for `call`: the fastest of cuDNN's first choices or, without a search, its very first choice. Each
/// run overwrites the whole result, so running several times does no harm.
ConvPlan choose(const Call& call, bool search) {
    const PlanTarget target{.handle = call.handle()};
    std::vector<ConvPlan> plans = conv_plans(call.problem, target, search ? searched_plans : 1, workspace_limit);
    std::size_t best = 0;
    if (plans.size() > 1) {
        const Event start = make_event(), stop = make_event();
        float best_time = std::numeric_limits<float>::infinity();
        for (std::size_t i = 0; i < plans.size(); ++i) {
            const float time = measure(call, plans[i], start, stop);
            if (time < best_time) best = i, best_time = time;
        }
    }
    return std::move(plans[best]);
}

struct Choice {
    std::optional<ConvPlan> plan;
    bool searched = false;
};

void run(const Call& call) {
    const ConvProblem& problem = call.problem;
    if (call.result().numel() == 0) return;
    if (call.x.numel() == 0 || call.w.numel() == 0 || call.y.numel() == 0) {  // an empty sum
        device::fill(problem.device, call.result().raw(), 0, call.result().bytes());
        return;
    }
    using Cache = LruCache<ConvProblem, Choice, ConvProblemHash>;
    static std::mutex mutex;
    // Never destroyed, because at process exit the driver may be unloaded before static objects are destroyed.
    static Cache& cache = *std::make_unique<Cache>(plan_capacity).release();
    const std::lock_guard lock(mutex);
    Choice& choice = cache.get(problem, [] { return Choice{}; });
    // Timing waits for the device, which is not allowed during a capture. A graph therefore uses an existing plan, or
    // cuDNN's first choice.
    const bool captured = device::capturing(problem.device), search = conv_search() && !captured;
    if (!choice.plan || (!captured && choice.searched != search)) choice = {choose(call, search), search};
    execute(call, *choice.plan);
}

}  // namespace

void conv_forward(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y) {
    run({conv_problem(ConvKind::forward, x, w, y, geometry, allow_tf32()), x, w, y});
}

void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) {
    run({conv_problem(ConvKind::backward_data, dx, w, dy, geometry, allow_tf32()), dx, w, dy});
}

void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw) {
    run({conv_problem(ConvKind::backward_weights, x, dw, dy, geometry, allow_tf32()), x, dw, dy});
}

}  // namespace radial::cuda
