// Sums and broadcasts between CUDA devices with NCCL, on a separate stream beside the compute stream.
#include "radial/core/distributed/device_collectives.h"
#include "radial/core/memory/cuda/check.h"
#include "radial/core/memory/cuda/stream.h"

#include <fmt/format.h>
#include <nccl.h>

#include <cstring>
#include <exception>
#include <string>
#include <utility>

namespace radial::nccl {

/// Throws Error with the text of the call, `what`, and NCCL's error message.
[[noreturn]] void fail(ncclResult_t result, const char* call, const std::string& what);

}  // namespace radial::nccl

/// Throws unless an NCCL call succeeds. `what` becomes a std::string and is evaluated only on failure.
#define RADIAL_NCCL(call, what)                                                                   \
    do {                                                                                          \
        if (const ncclResult_t radial_result = (call); radial_result != ncclSuccess) [[unlikely]] \
            ::radial::nccl::fail(radial_result, #call, what);                                     \
    } while (false)

namespace radial {

void nccl::fail(ncclResult_t result, const char* call, const std::string& what) {
    throw Error(fmt::format("{}: {} failed: {}", what, call, ncclGetErrorString(result)));
}

namespace {

/// A point in a stream that another stream can wait for.
class Event {
public:
    Event() { RADIAL_CUDA(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming)); }
    ~Event() { static_cast<void>(cudaEventDestroy(event_)); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    /// Makes `later` wait until `earlier` has run all work submitted to it so far.
    void order(cudaStream_t earlier, cudaStream_t later) {
        record(earlier);
        wait(later);
    }
    void record(cudaStream_t stream) { RADIAL_CUDA(cudaEventRecord(event_, stream)); }
    void wait(cudaStream_t stream) { RADIAL_CUDA(cudaStreamWaitEvent(stream, event_, 0)); }

private:
    cudaEvent_t event_ = nullptr;
};

ncclDataType_t type_of(const Tensor& x) {
    switch (x.dtype()) {
        case DType::float32:
            return ncclFloat32;
        case DType::float64:
            return ncclFloat64;
        case DType::int64:
            return ncclInt64;
        default:
            return ncclUint8;
    }
}

/// The work submitted to a stream so far; wait() makes the compute stream wait for this work.
class Submitted : public PendingOperation {
public:
    Submitted(cudaStream_t from, Tensor x) : x_(std::move(x)) { done_.record(from); }
    void wait() override {
        done_.wait(cuda::stream_of(x_.device().index));
        x_.bump_version();
    }

private:
    Event done_;
    Tensor x_;
};

class NcclCollectives : public DeviceCollectives {
public:
    NcclCollectives(Communicator& host, Device device)
        : device_(device), what_(fmt::format("NCCL on {} of rank {} of {}", device.str(), host.rank(), host.size())) {
        static_cast<void>(cuda::stream_of(device_.index));  // makes the device the current one of this thread
        ncclUniqueId id{};
        if (host.rank() == 0) RADIAL_NCCL(ncclGetUniqueId(&id), what_);
        const std::string first = host.gather(std::string(id.internal, sizeof id.internal)).front();
        std::memcpy(id.internal, first.data(), sizeof id.internal);
        RADIAL_NCCL(ncclCommInitRank(&comm_, host.size(), id, host.rank()), what_);
        RADIAL_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    }
    ~NcclCollectives() override {
        // During stack unwinding the other ranks may be gone, so do not wait for them. A destructor cannot report
        // errors.
        if (std::uncaught_exceptions() > 0)
            static_cast<void>(ncclCommAbort(comm_));
        else
            static_cast<void>(ncclCommDestroy(comm_));
        static_cast<void>(cudaStreamDestroy(stream_));
    }
    NcclCollectives(const NcclCollectives&) = delete;
    NcclCollectives& operator=(const NcclCollectives&) = delete;

    std::unique_ptr<PendingOperation> start_sum(const Tensor& x) override {
        begin(x);
        RADIAL_NCCL(
            ncclAllReduce(x.raw(), x.raw(), static_cast<std::size_t>(x.numel()), type_of(x), ncclSum, comm_, stream_),
            what_);
        return std::make_unique<Submitted>(stream_, x);
    }

    void broadcast(const Tensor& x, int root) override {
        begin(x);
        const ncclDataType_t type = type_of(x);
        const auto count = type == ncclUint8 ? x.bytes() : static_cast<std::size_t>(x.numel());
        RADIAL_NCCL(ncclBroadcast(x.raw(), x.raw(), count, type, root, comm_, stream_), what_);
        Submitted(stream_, x).wait();
    }

private:
    void begin(const Tensor& x) {
        RADIAL_CHECK(x.device() == device_, "{}: a tensor is on {}", what_, x.device().str());
        ready_.order(cuda::stream_of(device_.index), stream_);
    }

    Device device_;
    std::string what_;
    ncclComm_t comm_ = nullptr;
    cudaStream_t stream_ = nullptr;
    Event ready_;
};

}  // namespace

std::unique_ptr<DeviceCollectives> make_device_collectives(Communicator& host, Device device) {
    return std::make_unique<NcclCollectives>(host, device);
}

}  // namespace radial
