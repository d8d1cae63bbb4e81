// The stream of a CUDA device, on which all work is submitted in order; the check after a launch; and a description of
// the device.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>

/// The CUDA runtime of real devices.
namespace radial::cuda {

/// The stream that `device`'s kernels, copies and library calls run on, created on first use. Makes `device` the
/// current device of the calling thread.
cudaStream_t stream_of(int device);

/// Throws Error naming `kernel` when its launch failed.
void check_launch(const char* kernel, std::int64_t blocks);

/// One line that describes the device: "CUDA: NVIDIA H100 80GB HBM3 (sm_90, 79 GiB), driver 13.0, cuDNN 9.19.0, cuBLAS
/// 13.1".
std::string describe(int device);

}  // namespace radial::cuda
