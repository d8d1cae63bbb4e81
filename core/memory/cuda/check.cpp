// Words what went wrong in a call of the CUDA runtime, cuBLAS or cuDNN.
#include "radial/core/memory/cuda/check.h"

#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <array>
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
