// Implements device_runtime.h with the CUDA runtime, and formats the errors of the CUDA runtime, cuBLAS and cuDNN.
#include "radial/core/memory/cuda/check.h"
#include "radial/core/memory/cuda/stream.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>
#include <nvtx3/nvToolsExt.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string_view>

namespace radial::cuda {
namespace {

[[noreturn]] void raise(bool out_of_memory, std::string_view call, const std::string& what, std::string_view answer) {
    const std::string message = fmt::format("{}{}{} failed: {}", what, what.empty() ? "" : ": ", call, answer);
    if (out_of_memory) throw OutOfMemory(message);
    throw Error(message);
}

void clear_runtime_error() { static_cast<void>(cudaGetLastError()); }

}  // namespace

void fail(cudaError_t code, const char* call, const std::string& what) {
    clear_runtime_error();
    raise(code == cudaErrorMemoryAllocation, call, what,
          fmt::format("{} ({})", cudaGetErrorString(code), cudaGetErrorName(code)));
}

void fail(cublasStatus_t status, const char* call, const std::string& what) {
    clear_runtime_error();
    raise(status == CUBLAS_STATUS_ALLOC_FAILED, call, what,
          fmt::format("{} ({})", cublasGetStatusString(status), cublasGetStatusName(status)));
}

void fail(cudnnStatus_t status, const char* call, const std::string& what) {
    const bool out_of_memory = status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ||
                               status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
    raise(out_of_memory, call, what, take_cudnn_error(status));
}

std::string take_cudnn_error(cudnnStatus_t status) {
    clear_runtime_error();
    std::array<char, 1024> detail{};
    cudnnGetLastErrorString(detail.data(), detail.size());
    const std::string_view text(detail.data());
    return fmt::format("{}{}{}", cudnnGetErrorString(status), text.empty() ? "" : ": ", text);
}

}  // namespace radial::cuda

namespace radial {
namespace {

constexpr int most_devices = 16;

/// State that is created once per device and never destroyed, because the driver may be gone before static destructors
/// run.
struct Context {
    cudaStream_t stream = nullptr;
    device::Fault* fault = nullptr;
    std::atomic<bool> capturing = false;
};

/// Makes `index` the current device of this thread.
void activate(int index) {
    thread_local int active = -1;
    if (active == index) return;
    RADIAL_CUDA(cudaSetDevice(index));
    active = index;
}

Context* make_context(int index) {
    activate(index);
    auto* const context = new Context;  // NOLINT(cppcoreguidelines-owning-memory)
    RADIAL_CUDA(cudaStreamCreateWithFlags(&context->stream, cudaStreamNonBlocking));
    void* fault = nullptr;
    RADIAL_CUDA(cudaHostAlloc(&fault, sizeof(device::Fault), cudaHostAllocMapped));
    context->fault = new (fault) device::Fault{};
    return context;
}

Context& context_of(int index) {
    static std::array<std::atomic<Context*>, most_devices> contexts{};
    static std::mutex mutex;
    RADIAL_CHECK(index >= 0 && index < most_devices, "cuda:{}: devices 0 to {} are supported", index, most_devices - 1);
    std::atomic<Context*>& slot = contexts[static_cast<std::size_t>(index)];
    Context* context = slot.load(std::memory_order_acquire);
    if (context == nullptr) {
        const std::lock_guard lock(mutex);
        context = slot.load();
        if (context == nullptr) slot.store(context = make_context(index));
    }
    activate(index);
    return *context;
}

/// Clears the runtime's last error, which the next launch would otherwise report again, and returns the message of
/// `code`.
std::string take_error(cudaError_t code) {
    static_cast<void>(cudaGetLastError());
    return cudaGetErrorString(code);
}

class CudaEvent : public device::Event {
public:
    explicit CudaEvent(cudaStream_t stream) {
        RADIAL_CUDA(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
        RADIAL_CUDA(cudaEventRecord(event_, stream));
    }
    CudaEvent(const CudaEvent&) = delete;
    CudaEvent& operator=(const CudaEvent&) = delete;
    // A destructor cannot report errors.
    ~CudaEvent() override { static_cast<void>(cudaEventDestroy(event_)); }
    bool reached() const override {
        const cudaError_t code = cudaEventQuery(event_);
        if (code == cudaErrorNotReady) return false;
        RADIAL_CUDA(code);
        return true;
    }

private:
    cudaEvent_t event_ = nullptr;
};

class CudaGraph : public device::Graph {
public:
    /// Takes ownership of `graph`.
    CudaGraph(cudaGraph_t graph, int index) : graph_(graph), index_(index) {
        RADIAL_CUDA(cudaGraphInstantiate(&exec_, graph_, 0));
        RADIAL_CUDA(cudaGraphGetNodes(graph_, nullptr, &nodes_));
    }
    CudaGraph(const CudaGraph&) = delete;
    CudaGraph& operator=(const CudaGraph&) = delete;
    ~CudaGraph() override {
        static_cast<void>(cudaGraphExecDestroy(exec_));
        static_cast<void>(cudaGraphDestroy(graph_));
    }
    void launch() override { RADIAL_CUDA(cudaGraphLaunch(exec_, context_of(index_).stream)); }
    std::size_t nodes() const override { return nodes_; }

private:
    cudaGraph_t graph_;
    cudaGraphExec_t exec_ = nullptr;
    std::size_t nodes_ = 0;
    int index_;
};

}  // namespace

cudaStream_t cuda::stream_of(int device) { return context_of(device).stream; }

void cuda::check_launch(const char* kernel, std::int64_t blocks) {
    const cudaError_t code = cudaGetLastError();
    if (code == cudaSuccess) [[likely]]
        return;
    throw Error(fmt::format("CUDA launch of {} in {} blocks: {}", kernel, blocks, take_error(code)));
}

namespace device {

bool built() { return true; }
bool emulated() { return false; }

int count() {
    int devices = 0;
    const cudaError_t code = cudaGetDeviceCount(&devices);
    if (code == cudaSuccess) return devices;
    take_error(code);
    return 0;
}

std::string unavailable(int index) {
    int devices = 0;
    const cudaError_t code = cudaGetDeviceCount(&devices);
    if (code == cudaSuccess && index < devices) return {};
    std::string answer = fmt::format("the driver lists {}, numbered from 0", devices);
    if (code != cudaSuccess)
        answer = take_error(code);
    else if (devices == 0)
        answer = "the driver lists none";
    return fmt::format("no CUDA device: {} (asked for cuda:{})", answer, index);
}

std::string describe(int index) { return cuda::describe(index); }

void* allocate(int index, std::size_t bytes) {
    context_of(index);
    void* block = nullptr;
    const cudaError_t code = cudaMalloc(&block, bytes);
    if (code == cudaErrorMemoryAllocation) {
        take_error(code);
        return nullptr;
    }
    RADIAL_CUDA(code);
    return block;
}

void release(int index, void* block, std::size_t) {
    context_of(index);
    RADIAL_CUDA(cudaFree(block));
}

Memory memory(int index) {
    context_of(index);
    Memory memory;
    RADIAL_CUDA(cudaMemGetInfo(&memory.free, &memory.total));
    return memory;
}

void* allocate_pinned(std::size_t bytes) {
    void* block = nullptr;
    RADIAL_CUDA(cudaHostAlloc(&block, bytes, cudaHostAllocPortable));
    return block;
}

void release_pinned(void* block) { RADIAL_CUDA(cudaFreeHost(block)); }

void copy(int index, void* to, const void* from, std::size_t bytes) {
    RADIAL_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, context_of(index).stream));
}

void fill(int index, void* to, unsigned char value, std::size_t bytes) {
    RADIAL_CUDA(cudaMemsetAsync(to, value, bytes, context_of(index).stream));
}

void synchronize(int index) {
    const Context& context = context_of(index);
    RADIAL_CHECK(!context.capturing, "cuda:{}: the host cannot wait for the device while a graph is being captured",
                 index);
    RADIAL_CUDA(cudaStreamSynchronize(context.stream));
}

std::unique_ptr<Event> mark(int index) { return std::make_unique<CudaEvent>(context_of(index).stream); }

void begin_capture(int index) {
    Context& context = context_of(index);
    RADIAL_CHECK(!context.capturing, "cuda:{}: a graph is being captured already", index);
    // Relaxed mode, because the allocator may request memory from the driver meanwhile, and loader threads may call
    // CUDA freely.
    RADIAL_CUDA(cudaStreamBeginCapture(context.stream, cudaStreamCaptureModeRelaxed));
    context.capturing = true;
}

std::unique_ptr<Graph> end_capture(int index) {
    Context& context = context_of(index);
    RADIAL_CHECK(context.capturing, "cuda:{}: no graph is being captured", index);
    context.capturing = false;
    cudaGraph_t graph = nullptr;
    const cudaError_t code = cudaStreamEndCapture(context.stream, &graph);
    if (code != cudaSuccess || graph == nullptr) {
        take_error(code);
        return nullptr;
    }
    return std::make_unique<CudaGraph>(graph, index);
}

bool capturing(int index) { return context_of(index).capturing; }

void push_range(const char* name) { nvtxRangePushA(name); }
void pop_range() { nvtxRangePop(); }

Fault* fault(int index) { return context_of(index).fault; }

}  // namespace device

}  // namespace radial
