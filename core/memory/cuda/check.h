// Macros that check the results of CUDA runtime, cuBLAS and cuDNN calls. Every such call must use one of them
// (tools/check-cuda-calls).
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <string>

namespace radial::cuda {

/// Throws OutOfMemory when the device is out of memory, else Error. The message contains the text of the call, `what`,
/// and the library's error message. Clears the runtime's last error, which the next launch would otherwise report
/// again.
[[noreturn]] void fail(cudaError_t code, const char* call, const std::string& what = {});
[[noreturn]] void fail(cublasStatus_t status, const char* call, const std::string& what);
[[noreturn]] void fail(cudnnStatus_t status, const char* call, const std::string& what);

/// The message of cuDNN about its last failure on this thread, such as "CUDNN_STATUS_NOT_SUPPORTED: ...". Clears the
/// runtime's last error.
std::string take_cudnn_error(cudnnStatus_t status);

}  // namespace radial::cuda

/// Throws unless a CUDA runtime call succeeds.
#define RADIAL_CUDA(call)                                                                    \
    do {                                                                                     \
        if (const cudaError_t radial_code = (call); radial_code != cudaSuccess) [[unlikely]] \
            ::radial::cuda::fail(radial_code, #call);                                        \
    } while (false)

/// Throws unless a cuBLAS call succeeds. `what` (the operands' shapes) becomes a std::string; evaluated only on
/// failure.
#define RADIAL_CUBLAS(call, what)                                                                             \
    do {                                                                                                      \
        if (const cublasStatus_t radial_status = (call); radial_status != CUBLAS_STATUS_SUCCESS) [[unlikely]] \
            ::radial::cuda::fail(radial_status, #call, what);                                                 \
    } while (false)

/// Throws unless a cuDNN call succeeds. `what` is as above.
#define RADIAL_CUDNN(call, what)                                                                            \
    do {                                                                                                    \
        if (const cudnnStatus_t radial_status = (call); radial_status != CUDNN_STATUS_SUCCESS) [[unlikely]] \
            ::radial::cuda::fail(radial_status, #call, what);                                               \
    } while (false)
