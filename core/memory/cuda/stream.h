// The stream of a CUDA device on which all work is submitted in order.
#pragma once

#include <cuda_runtime_api.h>

/// The CUDA runtime of real devices.
namespace radial::cuda {

/// The stream that `device`'s kernels, copies and library calls run on, created on first use. Makes `device` the
/// current device of the calling thread.
cudaStream_t stream_of(int device);

}  // namespace radial::cuda
