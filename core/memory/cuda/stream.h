// The one stream of a CUDA device, on which everything is ordered.
#pragma once

#include <cuda_runtime_api.h>

namespace radial::cuda {

/// The stream that `device`'s kernels, copies and vendor calls run on, made at first use. Makes `device` the one that
/// the thread's calls of CUDA libraries mean.
cudaStream_t stream_of(int device);

}  // namespace radial::cuda
